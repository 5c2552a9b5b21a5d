// The reading room without reloads. The server stays the only one that renders: a change fetches the same page with
// another query and takes its live parts over; the address follows, so that it can be sent to somebody.
"use strict";
(() => {
  const form = document.getElementById("controls");
  const overlay = document.getElementById("overlay");
  const map = document.getElementById("map");
  const status = document.getElementById("status");
  const help = document.getElementById("help");
  const blink = document.getElementById("blink");
  const keysOn = document.getElementById("keys-on");
  const field = (name) => form.elements.namedItem(name);

  // One request at a time; of those that came meanwhile only the last is sent.
  let running = false;
  let wanted = false;

  const query = () => {
    const pairs = [...new FormData(form)].filter(([, value]) => value !== "");
    return new URLSearchParams(pairs).toString();
  };

  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

  async function page(address) {
    for (;;) {
      const response = await fetch(address, { headers: { Accept: "text/html" } });
      if (response.status === 429) {
        status.textContent = "The model is busy; waiting for a place …";
        await wait(1000 * Number(response.headers.get("Retry-After") || 2));
        continue;
      }
      return new DOMParser().parseFromString(await response.text(), "text/html");
    }
  }

  function loaded(address) {
    return new Promise((done, failed) => {
      const picture = new Image();
      picture.onload = () => done();
      picture.onerror = () => failed(new Error("the map's picture could not be loaded"));
      picture.src = address;
    });
  }

  function takeOver(fresh) {
    for (const part of fresh.querySelectorAll("[data-live]")) {
      const old = document.getElementById(part.id);
      const opened = old.querySelector("details")?.open;
      old.replaceChildren(...part.childNodes);
      if (opened) old.querySelector("details").open = true;
    }
    for (const step of fresh.querySelectorAll("[data-step]")) {
      document.querySelector(`[data-step="${step.dataset.step}"]`).href = step.getAttribute("href");
    }
  }

  async function show() {
    const address = `${location.pathname}?${query()}`;
    const fresh = await page(address);
    const problem = fresh.querySelector("[data-problem]");
    if (problem) {
      status.textContent = problem.textContent;
      return;
    }
    const picture = fresh.getElementById("map-caption").dataset.overlay;
    await loaded(picture);
    overlay.src = picture;
    takeOver(fresh);
    history.replaceState(null, "", address);
    status.textContent = "";
    document.body.dataset.shown = picture;
  }

  async function update() {
    wanted = true;
    if (running) return;
    running = true;
    map.classList.add("loading");
    while (wanted) {
      wanted = false;
      try {
        await show();
      } catch (error) {
        status.textContent = `Not shown: ${error.message}`;
      }
    }
    map.classList.remove("loading");
    running = false;
  }

  function speak(range) {
    const unit = range.name === "threshold" ? " % of the relevance" : " %";
    range.setAttribute("aria-valuetext", range.value + unit);
    form.querySelector(`output[for="${range.name}"]`).value = `${range.value} %`;
  }

  function changed(control) {
    if (control.type === "range") speak(control);
    if (control.name === "opacity") field("fill").checked = true;
    if (control.name === "target") offerOtherClasses();
    update();
  }

  function turn(name, by) {
    const choice = field(name);
    if (!choice) return;
    do {
      choice.selectedIndex = (choice.selectedIndex + by + choice.length) % choice.length;
    } while (choice.selectedOptions[0].disabled);
    changed(choice);
  }

  // A class cannot be held against itself.
  function offerOtherClasses() {
    const against = field("against");
    if (!against) return;
    const explained = field("target").value || form.dataset.predicted;
    if (against.value === explained) against.value = "";
    for (const option of against.options) option.disabled = option.value !== "" && option.value === explained;
  }

  function slide(name, by) {
    const range = field(name);
    if (by > 0) range.stepUp(); else range.stepDown();
    changed(range);
  }

  function attentionOnly(name, by) {
    if (field("method").value === "attention") turn(name, by);
    else status.textContent = "Layers and heads belong to the method “attention”: choose it first.";
  }

  function toggleBlink() {
    const away = map.classList.toggle("blinked");
    blink.setAttribute("aria-pressed", String(away));
  }

  function reset() {
    location.assign(location.pathname);
  }

  function step(which) {
    document.querySelector(`[data-step="${which}"]`)?.click();
  }

  const keys = {
    m: (by) => turn("method", by),
    t: (by) => turn("target", by),
    a: (by) => turn("against", by),
    c: (by) => turn("colormap", by),
    l: (by) => attentionOnly("layer", by),
    h: (by) => attentionOnly("head", by),
    ",": () => slide("threshold", -1),
    ".": () => slide("threshold", 1),
    "[": () => slide("opacity", -1),
    "]": () => slide("opacity", 1),
    f: () => field("fill").click(),
    o: toggleBlink,
    r: reset,
    n: () => step("next"),
    p: () => step("previous"),
    "?": () => help.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    const action = keys[event.key.toLowerCase()];
    if (!action || help.open || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (!keysOn.checked && event.key !== "?") return;
    event.preventDefault();
    action(event.shiftKey ? -1 : 1);
  });

  form.addEventListener("input", (event) => changed(event.target));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    update();
  });
  blink.addEventListener("click", toggleBlink);
  document.getElementById("reset").addEventListener("click", reset);
  document.getElementById("help-button").addEventListener("click", () => help.showModal());
  help.addEventListener("click", (event) => {
    if (event.target === help) help.close();
  });

  keysOn.checked = localStorage.getItem("pellucid-keys") !== "off";
  keysOn.addEventListener("change", () => localStorage.setItem("pellucid-keys", keysOn.checked ? "on" : "off"));

  offerOtherClasses();
  document.getElementById("apply").hidden = true;
  for (const id of ["blink", "reset", "help-button"]) document.getElementById(id).hidden = false;
})();

// Draws every figure of the page. Loaded after plotly.js; the data stand in the elements themselves.
"use strict";
for (const element of document.querySelectorAll("[data-figure]")) {
  const figure = JSON.parse(element.dataset.figure);
  Plotly.newPlot(element, figure.data, figure.layout, figure.config);
}

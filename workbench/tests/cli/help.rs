//! Help, doctor and evidence: what the program says about itself.

use crate::run::{parse, setup};

const COMMANDS: [&str; 9] = ["explain", "trace", "evidence", "train", "demo", "notebook", "bench", "convert", "doctor"];

#[test]
fn help_lists_every_command_and_says_for_what_use() {
    setup("help").1.line("--help").succeeds().says(&COMMANDS).says(&["Research use only", "no diagnosis", "pellucid explain lesion.jpg"]);
    setup("version").1.line("--version").succeeds().says(&["pellucid 0."]);
}

#[test]
fn help_of_every_command_teaches_by_example() {
    for command in COMMANDS {
        setup("help_of").1.args([command, "--help"]).succeeds().says(&["Usage: pellucid", &format!("Example: pellucid {command}")]);
    }
}

#[test]
fn help_tells_what_every_method_costs() {
    let help = setup("help_methods").1.line("explain --help").succeeds();
    let words = help.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for (name, method, about) in xai::Method::named() {
        assert!(words.contains(&format!("{name}: {about}; {}", method.cost())), "{name}:\n{}", help.stdout);
    }
}

#[test]
fn doctor_says_what_was_found() {
    setup("doctor").1.line("doctor").succeeds().says(&[
        "CUDA",
        "computes on",
        "matrix products",
        "trained on drawn lesions",
        "vit_large_patch32_384",
    ]);
    let found = parse(&setup("doctor_json").1.line("doctor --json").succeeds().stdout);
    assert!(found["threads"].as_u64().is_some_and(|threads| threads >= 1), "{found}");
    assert!(found["cuda"].as_str().is_some_and(|cuda| !cuda.is_empty()), "{found}");
    assert!(found["cublaslt"].as_str().is_some_and(|library| library.contains(" at ") || library.contains("pip install")), "{found}");
    setup("doctor_off").1.env("PELLUCID_CUBLASLT", "off").line("doctor").succeeds().says(&["not used: PELLUCID_CUBLASLT=off"]);
    assert!(found["device"].as_str().is_some_and(|device| !device.is_empty()), "{found}");
}

#[test]
fn doctor_says_how_models_of_the_hub_are_asked_for() {
    let (_dir, pellucid) = setup("doctor_hub");
    let pellucid = pellucid.env("HF_HOME", "elsewhere").env("HF_TOKEN", "hf_hidden").env("HF_ENDPOINT", "http://mirror/");
    let answer = pellucid.env("HF_HUB_OFFLINE", "0").env("HF_HUB_CACHE", "").line("doctor").succeeds();
    answer.says(&["elsewhere/hub (made when a model is fetched)", "from http://mirror, with a token"]);
    assert!(!answer.stdout.contains("hf_hidden"));
    setup("doctor_offline").1.env("HF_HUB_OFFLINE", "1").line("doctor").succeeds().says(&["from the cache only: HF_HUB_OFFLINE is set"]);
}

#[test]
fn evidence_stands_beside_its_controls() {
    let answer = setup("evidence").1.line("evidence --images 7 --method rollout").succeeds();
    answer.says(&["| map", "| rollout", "| control: centre", "| control: random", "95 % CI", "trained on drawn lesions"]);
    let row = answer.stdout.lines().find(|line| line.starts_with("| control: random")).unwrap_or_default();
    assert!(row.contains('%') && !row.contains("NaN"), "{row}");
}

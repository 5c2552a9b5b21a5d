//! Pages, JSON and pictures of the dashboard, asked through the routes without a port.

mod dashboard;

use axum::http::StatusCode;
use dashboard::{Asked, app, first_lesion, get};

/// Given the demonstration, when its pages are asked for, then each says what it is for, and none leaves the house.
#[tokio::test]
async fn every_page_says_research_use_only_and_names_no_other_host() {
    let app = app();
    let room = format!("/lesions/{}", first_lesion(&app).await);
    for address in ["/", "/monitoring", &room, "/nowhere"] {
        let answer = get(&app, address).await;
        assert!(answer.text.contains("Research use only: shows what the model relies on, no diagnosis"), "{address}");
        assert!(!answer.text.contains("https://") && !answer.text.contains("http://"), "{address} names a host");
        assert!(!answer.text.contains("style=\"") && !answer.text.contains("onclick"), "{address} has inline code");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
        assert_eq!((answer.header("x-content-type-options"), answer.header("referrer-policy")), ("nosniff", "no-referrer"));
    }
    for address in ["/", "/monitoring", &room] {
        assert!(get(&app, address).await.text.contains("trained on drawn lesions"), "{address}");
    }
}

/// Given a drawn lesion, when its room is opened, then seven bars with numbers stand there, and evidence with its controls.
#[tokio::test]
async fn the_reading_room_shows_bars_evidence_and_recipe() {
    let app = app();
    let id = first_lesion(&app).await;
    let page = get(&app, &format!("/lesions/{id}")).await;
    assert_eq!(page.status, StatusCode::OK);
    for class in datasets::LesionClass::ALL {
        assert!(page.text.contains(&format!("<span>{class}</span>")), "{class}");
    }
    for words in ["malignant group together", "Uncertainty is", "blob in the middle", "lesion&#39;s area", "<th scope=\"row\">random map"] {
        assert!(page.text.contains(words), "{words}");
    }
    let json = get(&app, &format!("/lesions/{id}/reading.json")).await.json();
    let sum: f64 = json["bars"].as_array().unwrap().iter().map(|bar| bar["probability"].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-5, "probabilities sum to {sum}");
    assert!(page.text.contains(json["recipe_sha256"].as_str().unwrap()) && page.text.contains(json["model"]["sha256"].as_str().unwrap()));
    let evidence = &json["evidence"];
    for share in ["inside", "centre", "random", "area"] {
        assert!((0.0..=1.0).contains(&evidence[share].as_f64().unwrap()), "{evidence}");
    }
}

/// Given controls in the query, when page and picture are asked for, then both follow them, without any script.
#[tokio::test]
async fn controls_are_the_query_of_the_address() {
    let app = app();
    let id = first_lesion(&app).await;
    let page = get(&app, &format!("/lesions/{id}?method=attention&layer=1&head=2&threshold=80&fill=on&opacity=30&colormap=viridis")).await;
    for chosen in [
        "<option value=\"attention\"",
        "value=\"80\"",
        "<option value=\"viridis\" selected>",
        "name=\"fill\" type=\"checkbox\" value=\"on\" checked",
    ] {
        assert!(page.text.contains(chosen), "{chosen}");
    }
    let picture = |query: &str| {
        let (app, address) = (app.clone(), format!("/lesions/{id}/overlay.png?{query}"));
        async move { get(&app, &address).await }
    };
    let (plain, filled) = (picture("method=attention").await, picture("method=attention&fill=on&opacity=80").await);
    assert_eq!((plain.status, plain.header("content-type")), (StatusCode::OK, "image/png"));
    assert!(plain.bytes != filled.bytes || page.text.contains("no localised evidence"));
    assert_eq!(plain.bytes, picture("method=attention").await.bytes, "the same question has the same answer");
    let contrast = get(&app, &format!("/lesions/{id}/reading.json?target=melanoma:nevus")).await.json();
    assert_eq!(contrast["map"]["target"], "melanoma against nevus");
    assert_eq!(contrast["recipe"]["target"]["contrast"]["class"], 1);
}

/// Given a method that integrates, when its map is asked for, then what it misses stands beside the evidence, and no
/// second pass is made for the picture or for other colours.
#[tokio::test]
async fn integrated_gradients_show_their_gap_and_are_made_once() {
    let app = app();
    let id = first_lesion(&app).await;
    let asked = |part: &str, more: &str| {
        let (app, address) = (app.clone(), format!("/lesions/{id}{part}?method=integrated-gradients{more}"));
        async move { get(&app, &address).await }
    };
    let first = asked("/reading.json", "").await.json();
    let gap = &first["completeness_gap"];
    assert!(gap["steps"].as_u64().is_some_and(|steps| steps >= 17), "{first}");
    let page = asked("", "&threshold=80").await.text;
    assert!(page.contains("change of") && page.contains(&format!("after {} passes", gap["steps"])), "{gap}");
    assert!(page.contains("at most 256 forward and backward passes"), "the page does not say what the map costs");
    let again = asked("/reading.json", "&fill=on").await.json();
    assert_eq!(again["milliseconds"]["explain"], first["milliseconds"]["explain"], "the map was made anew");
    assert!(get(&app, &format!("/lesions/{id}/reading.json?method=relevance")).await.json()["completeness_gap"].is_null());
}

/// Given a wrong control, when it is asked for, then the answer names it, as a page or as JSON.
#[tokio::test]
async fn wrong_questions_are_refused_by_name() {
    let app = app();
    let id = first_lesion(&app).await;
    let wrong = [
        ("method", "method=grad-cam"),
        ("target", "target=wart"),
        ("against", "target=1&against=1"),
        ("layer", "layer=99"),
        ("head", "head=x"),
        ("opacity", "opacity=101"),
        ("threshold", "threshold=-1"),
        ("colormap", "colormap=jet"),
    ];
    for (control, query) in wrong {
        let answer = Asked::get(&format!("/lesions/{id}/reading.json?{query}")).accepting("application/json").of(&app).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "bad-control"), "{query}");
        assert!(answer.json()["message"].as_str().unwrap().starts_with(control), "{}", answer.text);
    }
    let hostile = get(&app, &format!("/lesions/{id}?method=%3Cscript%3Ealert(1)%3C/script%3E")).await;
    assert!(hostile.status == StatusCode::BAD_REQUEST && !hostile.text.contains("<script>alert"));
    for address in [
        "/lesions/DRAWN_9999999",
        "/lesions/..%2F..%2Fetc%2Fpasswd",
        "/lesions/%00/reading.json",
        "/assets/../Cargo.toml",
        "/assets/nothing.js",
    ] {
        assert_eq!(get(&app, address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    let wrong_method = Asked::new("DELETE", &format!("/lesions/{id}")).of(&app).await;
    assert_eq!((wrong_method.status, wrong_method.code().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"));
}

/// Given assets, when they are asked for again with their tag, then nothing is sent twice; text is compressed.
#[tokio::test]
async fn assets_are_kept_by_browsers_and_travel_compressed() {
    let app = app();
    let first = get(&app, "/assets/style.css").await;
    assert!(first.header("cache-control").contains("immutable"));
    let again = Asked::get("/assets/style.css").with("if-none-match", first.header("etag")).of(&app).await;
    assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
    let plotly = Asked::get("/assets/plotly.js").with("accept-encoding", "gzip").of(&app).await;
    assert_eq!(plotly.header("content-encoding"), "gzip");
    assert!(plotly.bytes.len() < 2_000_000, "{} bytes", plotly.bytes.len());
    assert_eq!(get(&app, "/").await.header("cache-control"), "no-store");
    assert!(!get(&app, "/").await.text.contains("plotly"), "only the monitoring page draws figures");
}

/// Given the monitoring page, then it has the figures of reports, the test record and the imbalance.
#[tokio::test]
async fn monitoring_shows_balance_and_test_record() {
    let page = get(&app(), "/monitoring").await.text;
    for id in ["confusion", "calibration", "curve", "cohort", "thesis"] {
        assert!(page.contains(&format!("<div id=\"{id}\" class=\"figure\"")), "{id}");
    }
    for words in ["balanced accuracy", "expected calibration error", "47150 images", "<strong>36.0</strong> times"] {
        assert!(page.contains(words), "{words}");
    }
}

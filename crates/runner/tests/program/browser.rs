//! The report and the comparison in a real Chromium: they load without a complaint, sort, search, browse, and read well in every view.
//!
//! With `BIASCAM_GALLERY=DIR` the views are left there as pictures, to be looked at.

use metrics::Outcome;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pipeline::ReadTable;
use serde_json::{Value, json};

use crate::place::{Place, fails, succeeds};
use crate::webdriver::Browser;

/// Every text against what is behind it, in the colours now shown: those below WCAG's 4.5.
const FAINT: &str = r#"
    const channels = (colour) => {
        const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = ([r, g, b]) => [r, g, b]
        .map((c) => c / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = channels(getComputedStyle(at).backgroundColor);
            if (colour[3] === 255) return colour;
        }
        return [255, 255, 255, 255];
    };
    const probe = document.createElement("i");
    probe.style.background = "var(--bar)";
    document.body.append(probe);
    const bar = channels(getComputedStyle(probe).backgroundColor);
    probe.remove();
    const faint = [];
    let read = 0;
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const element = walk.currentNode.parentElement;
        if (!walk.currentNode.data.trim() || element.closest("svg, script, noscript, option, .skip") || !element.checkVisibility()) continue;
        const ink = luminance(channels(getComputedStyle(element).color));
        for (const paper of element.closest(".bar") ? [behind(element), bar] : [behind(element)]) {
            const other = luminance(paper);
            const contrast = (Math.max(ink, other) + 0.05) / (Math.min(ink, other) + 0.05);
            read += 1;
            if (contrast < 4.5) faint.push(`${element.tagName}.${element.className} ${contrast.toFixed(2)} ${walk.currentNode.data.trim()}`);
        }
    }
    return { read, faint };
"#;

#[test]
fn the_pages_work_in_chromium() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    let one_epoch = "training.epochs=1";
    succeeds(&place.run("reproduce", &[one_epoch]));
    the_report(&browser, &place.results("report.html"));
    every_choice_of_examples(&browser, &place);

    let three = Place::new();
    let classifiers = "classifiers={plain: {class_weights: none}, half: {class_weights: domain_adaptive, exponent: 0.5}, \
                       inverse_frequency: {class_weights: domain_adaptive}}";
    succeeds(&three.run("reproduce", &[one_epoch, classifiers, "report.examples=1"]));
    browser.open(&three.results("report.html"), "");
    no_complaints(&browser);
    assert_eq!(
        browser.script("return document.querySelectorAll('#claims').length"),
        json!(0)
    );
    assert_eq!(
        browser.script("return document.querySelectorAll('.examples li:first-child .pane').length"),
        json!(3)
    );
    // Beside each other on a phone as on a desk, and no name runs out of its own.
    let panes = || {
        browser.script(
            "const panes = [...document.querySelectorAll('.examples li:first-child .pane')];
             return [new Set(panes.map((pane) => pane.getBoundingClientRect().top)).size,
                     panes.filter((pane) => pane.scrollWidth > pane.clientWidth).length]",
        )
    };
    assert_eq!(panes(), json!([1, 0]));
    keep(&browser, "three-classifiers");
    on_a_phone(&browser, || assert_eq!(panes(), json!([1, 0])));

    let single = one_attribute();
    browser.open(&single.path().join("results/one/report.html"), "");
    no_complaints(&browser);
    assert_eq!(
        browser.script("return document.querySelectorAll('#attributes tbody tr').length"),
        json!(1)
    );
    keep(&browser, "one-attribute");

    the_comparison(&browser, &place, &three, single.path());
}

fn the_report(browser: &Browser, report: &Path) {
    let size = std::fs::metadata(report).expect("a report").len();
    assert!(size < 15_000_000, "{size} bytes");
    browser.open(report, "");
    no_complaints(browser);

    // One title, unique identifiers, headings without gaps, and the landmarks by which a screen reader moves.
    let outline = browser.script(
        "const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
         const levels = [...document.querySelectorAll('h1, h2, h3')].map((e) => Number(e.tagName[1]));
         return { twice: ids.filter((id, i) => ids.indexOf(id) !== i),
                  gaps: levels.filter((level, i) => level > (levels[i - 1] ?? 0) + 1),
                  titles: document.querySelectorAll('h1').length, language: document.documentElement.lang,
                  landmarks: ['body > header', 'nav[aria-label]', 'main', 'footer'].map((s) => document.querySelectorAll(s).length),
                  lost: [...document.querySelectorAll('nav a')].filter((a) => !document.getElementById(a.hash.slice(1))).length }",
    );
    assert_eq!(
        outline,
        json!({"twice": [], "gaps": [], "titles": 1, "language": "en", "landmarks": [1, 1, 1, 1], "lost": 0})
    );
    for selector in [
        "button, input, select",
        "section > figure svg, .drawing > svg, canvas, .colours",
    ] {
        let names = browser.spoken_names(selector);
        assert!(
            !names.is_empty() && names.iter().all(|name| !name.is_empty()),
            "{selector}: {names:?}"
        );
    }
    browser.type_into("body", "\u{E004}");
    assert_eq!(
        browser.script("return document.activeElement.textContent"),
        json!("Skip to the results")
    );

    sorting(browser);
    searching(browser);
    colours_and_sizes(browser);
}

/// The numbers of a column as shown; absent ones are null.
fn column(browser: &Browser, at: usize) -> Vec<Option<f64>> {
    let shown = browser.script(&format!(
        "return [...document.querySelectorAll('#attributes tbody tr')].map((row) => row.cells[{at}].dataset.value ?? null)"
    ));
    let shown = shown.as_array().expect("cells").iter();
    shown
        .map(|value| value.as_str().map(|text| text.parse().expect("a number")))
        .collect()
}

fn sorting(browser: &Browser) {
    let heading = "#attributes thead tr:last-child th:nth-child(4)";
    let before = column(browser, 3);
    for (direction, sign) in [("descending", -1.0), ("ascending", 1.0)] {
        browser.click(&format!("{heading} button"));
        let state = browser.script(&format!("return document.querySelector('{heading}').ariaSort"));
        assert_eq!(state, json!(direction));
        let mut expected = before.clone();
        expected.sort_by(|a, b| match (a, b) {
            (Some(a), Some(b)) => (sign * a).total_cmp(&(sign * b)),
            _ => a.is_none().cmp(&b.is_none()),
        });
        assert_eq!(column(browser, 3), expected, "{direction}");
    }
    assert_ne!(before, column(browser, 3), "the table is not sorted by itself");
    browser.click("#attributes thead tr:last-child th:first-child button");
    let names =
        browser.script("return [...document.querySelectorAll('#attributes tbody th')].map((cell) => cell.textContent)");
    assert_eq!(names[0], json!("5_o_Clock_Shadow"));
    assert_eq!(names[39], json!("Young"));
}

fn searching(browser: &Browser) {
    let shown = || {
        browser.script(
            "return [...document.querySelectorAll('#attributes tbody tr:not([hidden]) th')].map((e) => e.textContent)",
        )
    };
    browser.type_into("#attributes-search", "wearing NECK");
    assert_eq!(shown(), json!(["Wearing_Necklace", "Wearing_Necktie"]));
    assert_eq!(
        browser.script("return document.getElementById('attributes-table-count').textContent"),
        json!("2 of 40 rows")
    );
    browser.type_into("#attributes-search", "xyz");
    assert_eq!(shown(), json!([]));
    browser.script("const field = document.getElementById('attributes-search'); field.value = ''; field.dispatchEvent(new Event('input'))");
    assert_eq!(shown().as_array().expect("rows").len(), 40);
}

fn colours_and_sizes(browser: &Browser) {
    let readable = |view: &str| {
        let found = browser.script(FAINT);
        assert!(found["read"].as_u64().expect("a number") > 300, "{view}: {found}");
        assert_eq!(found["faint"], json!([]), "{view}");
    };
    let paper = || browser.script("return getComputedStyle(document.body).backgroundColor");
    assert_eq!(
        browser.script(
            "return [...document.querySelectorAll('.scroll')].filter((box) => box.scrollWidth > box.clientWidth) \
             .map((box) => box.getAttribute('aria-label'))"
        ),
        json!([]),
        "tables that do not fit 1,280 pixels"
    );
    let light = paper();
    readable("light");
    keep(browser, "light");
    browser.chromium(
        "Emulation.setEmulatedMedia",
        &json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]}),
    );
    assert_ne!(paper(), light, "the system's dark colours are not taken");
    readable("dark");
    keep(browser, "dark");
    browser.script("const choice = document.getElementById('theme'); choice.value = 'light'; choice.dispatchEvent(new Event('change'))");
    assert_eq!(paper(), light, "the reader's choice does not go before the system's");
    browser.script(
        "const choice = document.getElementById('theme'); choice.value = ''; choice.dispatchEvent(new Event('change'))",
    );
    browser.chromium("Emulation.setEmulatedMedia", &json!({"features": []}));

    on_a_phone(browser, || {
        assert_eq!(
            browser.script("return document.documentElement.scrollWidth"),
            json!(390),
            "a phone's page is wider than the phone"
        );
        readable("phone");
        keep(browser, "phone");
    });

    let printed = browser.post("/print", &json!({"background": false}));
    let printed = STANDARD.decode(printed.as_str().expect("a document")).expect("base64");
    assert!(printed.starts_with(b"%PDF"));
    if let Some(folder) = gallery() {
        std::fs::write(folder.join("report.pdf"), printed).expect("written");
    }
}

fn on_a_phone(browser: &Browser, look: impl FnOnce()) {
    let phone = json!({"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true});
    browser.chromium("Emulation.setDeviceMetricsOverride", &phone);
    look();
    browser.chromium("Emulation.clearDeviceMetricsOverride", &json!({}));
}

/// Every attribute, classifier and outcome has as many images as the predictions say, and shows as many faces as there are, three at
/// most; maps go away and fade; a map drawn in the page has the energy that was measured of it.
fn every_choice_of_examples(browser: &Browser, place: &Place) {
    browser.open(&place.results("report.html"), "#examples/Bald/balanced/true_negative");
    let state = browser.script(
        "const form = document.querySelector('#examples form');
         return [form.attribute.value, form.classifier.value, form.outcome.value]",
    );
    assert_eq!(
        state,
        json!(["Bald", "1", "true_negative"]),
        "a link to a choice is not followed"
    );

    let mut expected: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for classifier in ["unbalanced", "balanced"] {
        let table = ReadTable::parquet(&place.results(&format!("{classifier}/predictions.parquet"))).expect("scores");
        let (names, labels) = (
            table.texts("attribute").expect("names"),
            table.integers("label").expect("labels"),
        );
        for ((name, label), score) in names.iter().zip(labels).zip(table.doubles("score").expect("scores")) {
            let outcome = Outcome::of(label as i8, score.expect("a score") as f32).expect("annotated");
            let outcome = match outcome {
                Outcome::TruePositive => "true_positive",
                Outcome::FalseNegative => "false_negative",
                Outcome::FalsePositive => "false_positive",
                Outcome::TrueNegative => "true_negative",
            };
            *expected
                .entry((render::text::readable(name), classifier.to_owned(), outcome.to_owned()))
                .or_default() += 1;
        }
    }
    let shown = browser.script(
        "const form = document.querySelector('#examples form');
         const list = document.querySelector('ul.examples');
         const shown = [];
         for (const option of form.attribute.options) for (const classifier of form.classifier) for (const outcome of form.outcome) {
            option.selected = classifier.checked = outcome.checked = true;
            form.dispatchEvent(new Event('change'));
            shown.push([option.text, classifier.parentElement.textContent.trim(), outcome.value,
                Number(form.querySelector(`[data-count=${outcome.value}]`).textContent), list.children.length,
                document.querySelector('#examples .status').textContent, list.querySelectorAll('.wrong').length]);
         }
         return shown",
    );
    let shown = shown.as_array().expect("choices");
    assert_eq!(shown.len(), 40 * 2 * 4);
    let mut none = 0;
    for choice in shown {
        let text = |at: usize| choice[at].as_str().expect("a text").to_owned();
        let number = |at: usize| choice[at].as_u64().expect("a number") as usize;
        let total = expected.get(&(text(0), text(1), text(2))).copied().unwrap_or_default();
        assert_eq!((number(3), number(4)), (total, total.min(3)), "{choice}");
        assert_eq!(text(5).starts_with("This run has no "), total == 0, "{choice}");
        none += usize::from(total == 0);
        // The chosen classifier is wrong in every image of a false outcome; the other may be wrong anywhere.
        if text(2).starts_with("false") {
            assert!(number(6) >= number(4), "{choice}");
        }
    }
    assert!(none > 0, "a run of one epoch leaves some outcome empty");
    no_complaints(browser);

    // A map in the page: bilinear and scaled as the measured one, from cells of 8 bits.
    browser.open(
        &place.results("report.html"),
        "#examples/Smiling/balanced/true_negative",
    );
    let maps = browser.script(
        "const data = JSON.parse(document.getElementById('examples-data').textContent);
         const { side, cells } = data.attributes.find(({ name }) => name === 'Smiling').region;
         return [...document.querySelectorAll('.pane')].map((pane) => {
            const canvas = pane.querySelector('canvas');
            const pixels = canvas.getContext('2d').getImageData(0, 0, data.size, data.size).data;
            let inside = 0, all = 0;
            for (let i = 0; i < data.size ** 2; i++) {
                const value = Math.max(0, (pixels[4 * i + 3] / 255 - 0.2) / 0.8);
                const cell = (at) => Math.floor((2 * at + 1) * side / (2 * data.size));
                all += value;
                if (cells[cell(Math.floor(i / data.size)) * side + cell(i % data.size)] === '1') inside += value;
            }
            return [pane.textContent, inside / all, canvas.getAttribute('aria-label')];
         })",
    );
    let maps = maps.as_array().expect("maps");
    assert!(!maps.is_empty());
    for map in maps {
        let text = map[0].as_str().expect("a text");
        let energy: f64 = text
            .rsplit("energy ")
            .next()
            .expect("an energy")
            .parse()
            .expect("a number");
        let drawn = map[1].as_f64().expect("a number");
        // Rounded to two digits; cells and colours to 1/255.
        assert!((drawn - energy).abs() < 0.012, "{map}");
    }

    let opacity = || browser.script("return getComputedStyle(document.querySelector('.face canvas')).opacity");
    assert_eq!(opacity(), json!("0.8"));
    browser.script("const range = document.getElementById('examples-opacity'); range.value = 25; range.dispatchEvent(new Event('input', { bubbles: true }))");
    assert_eq!(opacity(), json!("0.25"));
    browser.type_into("#examples-opacity", "\u{E014}");
    assert_eq!(opacity(), json!("0.3"), "the arrow key moves it");
    let count = |what: &str| {
        browser
            .script(&format!("return document.querySelectorAll('.face {what}').length"))
            .as_u64()
            .expect("a number")
    };
    assert!(count("canvas") > 0 && count("svg") > 0);
    browser.click("#examples input[name=overlay]");
    assert_eq!(count("canvas"), 0, "the map can be taken away");
    browser.click("#examples input[name=region]");
    assert_eq!(count("svg"), 0, "the region can be taken away");
    assert!(count("img") > 0);
    browser.click("#attributes tbody tr:nth-child(3) th a");
    // The page hears of its new address a moment after the click.
    browser.wait_for(
        "a name in the table leads to its examples",
        "return document.querySelector('#examples-attribute').value
             === document.querySelector('#attributes tbody tr:nth-child(3) th').textContent.replaceAll('_', ' ')",
    );
    no_complaints(browser);
}

fn the_comparison(browser: &Browser, place: &Place, three: &Place, single: &Path) {
    let page = place.folder.path().join("comparison.html");
    let compare = |folders: &[&Path]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command.arg("report").args(folders).arg("--out").arg(&page);
        command.output().expect("the program starts")
    };
    let folders = [place.results(""), three.results(""), single.join("results/one")];
    let folders: Vec<&Path> = folders.iter().map(std::path::PathBuf::as_path).collect();
    succeeds(&compare(&folders));
    browser.open(&page, "");
    no_complaints(browser);
    let size = std::fs::metadata(&page).expect("a page").len();
    assert!(size < 15_000_000, "{size} bytes");
    let tables = browser.script(
        "const texts = (id) => [...document.querySelectorAll(`#${id} tbody tr`)].map((row) => [...row.cells].map((cell) => cell.textContent));
         return { measures: texts('measures').length, settings: texts('settings').map((row) => row[0]), attributes: texts('attributes').length,
                  verdicts: texts('verdicts').length, broken: [...document.images].filter((image) => !image.naturalWidth).length,
                  faint: (() => {FAINT})().faint }"
            .replace("FAINT", FAINT)
            .as_str(),
    );
    assert_eq!(tables["measures"], json!(2 + 3 + 1), "one row a run and classifier");
    assert_eq!(
        (&tables["attributes"], &tables["verdicts"]),
        (&json!(40), &json!(metrics::Claim::ALL.len()))
    );
    assert_eq!((&tables["broken"], &tables["faint"]), (&json!(0), &json!([])));
    let settings = tables["settings"].to_string();
    assert!(
        settings.contains("report.examples") && settings.contains("data.source"),
        "{settings}"
    );
    assert!(!settings.contains("seed\""), "{settings}");
    let names = browser.spoken_names("button, input, select");
    assert!(names.iter().all(|name| !name.is_empty()), "{names:?}");
    let drawn = browser.script("return [...document.querySelectorAll('#figures h3')].map((e) => e.textContent)");
    assert_eq!(drawn[0], json!("Error rates"));
    let drawn = drawn.as_array().expect("headings");
    assert!(drawn.contains(&json!("Average CAMs")), "{drawn:?}");
    keep(browser, "comparison");

    // The page says the means that the run's own report says.
    let means = |path: &Path, id: &str| {
        browser.open(path, "");
        browser.script(&format!(
            "return [...document.querySelectorAll('#{id} tbody tr')].slice(0, 2).map((row) => [...row.querySelectorAll('.number')].slice(0, 4).map((e) => e.textContent))"
        ))
    };
    assert_eq!(
        means(&page, "measures"),
        means(&place.results("report.html"), "overview")
    );

    // What cannot be compared is named, the rest is compared.
    let absent = place.folder.path().join("nowhere");
    let message = fails(&compare(&[&place.results(""), &absent, place.folder.path()]));
    assert!(
        message.contains("2 of 3 folders left out") && message.contains("nowhere: no such folder"),
        "{message}"
    );
    assert!(message.contains("manifest.json"), "{message}");
    browser.open(&page, "");
    assert_eq!(
        browser.script("return document.querySelectorAll('#left-out li').length"),
        json!(2)
    );
    fails(&compare(&[&absent]));
    let older = place.results("tables/attributes.csv");
    let text = std::fs::read_to_string(&older).expect("a table");
    std::fs::write(&older, text.replace("_minority_error", "_rare_error")).expect("written");
    let without = fails(&compare(&[&place.results("")]));
    assert!(
        without.contains("no classifier") && without.contains("reproduce"),
        "{without}"
    );
    std::fs::remove_file(&older).expect("removed");
    let unfinished = fails(&compare(&[&place.results("")]));
    assert!(
        unfinished.contains("without tables") && unfinished.contains("--device cpu"),
        "{unfinished}"
    );
}

/// A run of one attribute and one classifier: CelebA's layout with one column of labels.
fn one_attribute() -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a temporary folder");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        succeeds(
            &command
                .args(arguments)
                .current_dir(place.path())
                .output()
                .expect("the program starts"),
        );
    };
    run(&[
        "data",
        "procedural",
        "--out",
        "data/one",
        "--images",
        "240",
        "--seed",
        "2",
    ]);
    let labels = place.path().join("data/one/Anno/list_attr_celeba.txt");
    let text = std::fs::read_to_string(&labels).expect("labels");
    let names: Vec<&str> = text.lines().nth(1).expect("names").split_whitespace().collect();
    let at = names.iter().position(|name| *name == "Smiling").expect("known");
    let rows = text.lines().skip(2).map(|line| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        format!("{} {}\n", cells[0], cells[at + 1])
    });
    let rows: String = rows.collect();
    std::fs::write(labels, format!("240\nSmiling\n{rows}")).expect("written");
    let smoke = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/smoke.yaml"));
    std::fs::write(place.path().join("one.yaml"), smoke.expect("an experiment")).expect("written");
    run(&[
        "reproduce",
        "one.yaml",
        "--device",
        "cpu",
        "--set",
        "data={source: celeba, folder: one, image_size: 56}",
        "--set",
        "training.epochs=1",
        "--set",
        "classifiers={unbalanced: {class_weights: none}}",
    ]);
    place
}

fn no_complaints(browser: &Browser) {
    let said: Vec<String> = browser.console();
    assert!(said.is_empty(), "the console says {said:?}");
    // Nothing was fetched but the page itself.
    let fetched: Value = browser.script(
        "return performance.getEntriesByType('resource').map((e) => e.name).filter((name) => !name.startsWith('data:'))",
    );
    assert_eq!(fetched, json!([]));
}

fn gallery() -> Option<std::path::PathBuf> {
    let folder = Path::new(&std::env::var_os("BIASCAM_GALLERY")?).join("pages");
    std::fs::create_dir_all(&folder).expect("made");
    Some(folder)
}

fn keep(browser: &Browser, name: &str) {
    if let Some(folder) = gallery() {
        std::fs::write(folder.join(format!("{name}.png")), browser.picture()).expect("written");
    }
}

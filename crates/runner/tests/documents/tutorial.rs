//! `docs/learn/tutorial.md`, done as it stands there, and what the README says of images of one's own.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::pages::root;

/// The page's blocks of one language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    let blocks = page.split(&begin).skip(1);
    blocks.map(|rest| rest.split("```").next().expect("a block")).collect()
}

/// What a shell prints of a block, typed in `folder` with the program on the path.
fn typed(block: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_biascam")).parent().expect("a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::iter::once(program.to_owned()).chain(std::env::split_paths(&path));
    let mut command = Command::new("sh");
    command.args(["-e", "-c", block]).current_dir(folder);
    command.env("PATH", std::env::join_paths(places).expect("a search path"));
    let output = command.output().expect("a shell");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{block}\n{error}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &error
}

#[test]
fn the_tutorial_says_what_runs() {
    let page = fs::read_to_string(root().join("docs/learn/tutorial.md")).expect("a page");
    let place = tempfile::tempdir().expect("a temporary folder");
    let folder = place.path();
    let [experiment] = blocks(&page, "yaml")[..] else {
        panic!("one experiment");
    };
    fs::write(folder.join("shapes.yaml"), experiment).expect("written");
    let commands = blocks(&page, "sh");
    assert_eq!(commands.len(), 5, "check, run, change, picture, figure: {commands:?}");
    let printed: Vec<String> = commands.iter().map(|block| typed(block, folder)).collect();

    assert!(printed[0].contains("nothing is wrong"), "{}", printed[0]);
    for heading in ["mean over attributes", "TOO LITTLE DATA", "results/shapes/report.html"] {
        assert!(printed[1].contains(heading), "{heading}: {}", printed[1]);
    }
    let again = typed(commands[1], folder);
    assert!(again.contains("unchanged") && !again.contains("first run"), "{again}");
    // The table and the folder are as the page shows them.
    let table = fs::read_to_string(folder.join("data/shapes/labels.csv")).expect("a table");
    for line in table.lines().take(3) {
        assert!(page.contains(line), "{line}");
    }
    for file in [
        "data/shapes/masks/dotted_disc/00001.png",
        "results/shapes/report.html",
        "results/longer/report.html",
        "both.html",
        "maps/sheets",
        "paper/error_rates.pdf",
        "results/shapes/tables/attributes.tex",
    ] {
        assert!(folder.join(file).exists(), "{file}");
    }
}

#[test]
fn the_experiment_in_the_readme_runs_on_a_folder_as_it_says() {
    let page = fs::read_to_string(root().join("README.md")).expect("a page");
    let [experiment] = blocks(&page, "yaml")[..] else {
        panic!("one experiment");
    };
    assert!(experiment.lines().count() <= 12, "{experiment}");
    let place = tempfile::tempdir().expect("a temporary folder");
    let folder = place.path();
    fs::create_dir(folder.join("images")).expect("made");
    let mut table = "image,wilted,potted\n".to_owned();
    for index in 0..60_u8 {
        let (wilted, potted) = (index % 3 == 0, index % 2 == 0);
        let colour = image::Rgb([if wilted { 90 } else { 220 }, if potted { 160 } else { 40 }, 3 * index]);
        let name = format!("{index:02}.png");
        let picture = image::RgbImage::from_pixel(30, 40, colour);
        picture.save(folder.join("images").join(&name)).expect("written");
        let said = |yes| if yes { "yes" } else { "no" };
        table += &format!("{name},{},{}\n", said(wilted), said(potted));
    }
    fs::write(folder.join("labels.csv"), table).expect("written");
    fs::write(folder.join("flowers.yaml"), experiment).expect("written");
    assert!(typed("biascam check flowers.yaml", folder).contains("nothing is wrong"));
    // As the page says it, but for what takes long.
    typed(
        "biascam run flowers.yaml --device cpu --set training.epochs=1 --set data.image_size=32",
        folder,
    );
    assert!(folder.join("results/flowers/report.html").exists());
}

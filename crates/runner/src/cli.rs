//! The command line: parsed here, carried out in [`crate::commands`] and [`crate::run`].

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use pipeline::{last_words, to_stderr};
use tracing_subscriber::EnvFilter;

use crate::command_line::with_tip;
use crate::commands;
use crate::error::{Result, describe};
use crate::request::{Draw, Last, Run};
use crate::run;

/// Does a binary image classifier look where it should, or does it just guess the majority?
///
/// Trains a classifier of binary attributes without and with class weights, explains its decisions with class
/// activation maps, and measures errors per class and the share of activation energy inside each attribute's region.
#[derive(Debug, Parser)]
#[command(
    name = "biascam",
    version,
    arg_required_else_help = true,
    after_help = "Start with `biascam reproduce`: it needs no data, makes procedural faces, and ends with the paper's table and \
                  a report.\nA smaller run in seconds: `biascam reproduce smoke`; `biascam experiments` lists what else is inside."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an experiment from images to report; what is already there and unchanged is not done again
    #[command(visible_alias = "run")]
    Reproduce(Run),
    /// Train the experiment's classifiers
    Train(Run),
    /// Score the test images with the trained classifiers
    Predict(Run),
    /// Explain every decision and measure where its map's energy is
    Explain(Run),
    /// Make tables and verdicts from predictions and energies
    Measure(Run),
    /// Draw figures and the report; a results folder instead of an experiment is drawn from its files alone
    Draw(Draw),
    /// Run an experiment under many settings and seeds, here or on a cluster, and compare the results
    Sweep(Box<commands::sweep::Arguments>),
    /// Try every method of maps on several trainings of an experiment: which tell what the classifiers use, and which do not
    BenchmarkMaps(commands::benchmark_maps::Arguments),
    /// List the experiments and sweeps inside the program, or write them as files
    Experiments(commands::experiments::Arguments),
    /// Say what an experiment or a sweep would do, or everything that is wrong with its file; needs no data
    Check(commands::check::Arguments),
    /// Print every key of experiment or sweep files: as JSON Schema for editors, or as a page for people
    Schema(commands::schema::Arguments),
    /// Write, list and count data sets
    #[command(subcommand)]
    Data(commands::data::Command),
    /// Explain pictures or tensors with any checkpoint that has torchvision's tensor names
    ExplainImages(Box<commands::explain_images::Arguments>),
    /// Error rates per class of scores made elsewhere, and how well they rank
    MeasureScores(commands::measure_scores::Arguments),
    /// What a table of error rates and energies says without any image: the paper's, a run's, or one's own
    Audit(commands::audit::Arguments),
    /// Put results folders side by side on one page
    Report(commands::report::Arguments),
    /// Say what a results folder or a checkpoint holds
    Inspect(commands::inspect::Arguments),
    /// Print a shell's completions of all commands and options
    Completions(commands::shell::Completions),
    /// Print the manual page, or write those of all commands
    Man(commands::shell::Manual),
}

impl Command {
    /// Whether it can be told where to make results, and to make them anew.
    fn makes_results(&self) -> bool {
        match self {
            Self::Reproduce(_)
            | Self::Train(_)
            | Self::Predict(_)
            | Self::Explain(_)
            | Self::Measure(_)
            | Self::Draw(_)
            | Self::Sweep(_)
            | Self::BenchmarkMaps(_) => true,
            Self::Experiments(_)
            | Self::Check(_)
            | Self::Schema(_)
            | Self::Data(_)
            | Self::ExplainImages(_)
            | Self::MeasureScores(_)
            | Self::Audit(_)
            | Self::Report(_)
            | Self::Inspect(_)
            | Self::Completions(_)
            | Self::Man(_) => false,
        }
    }
}

/// Parses the command line, does what it says, and turns a failure into one paragraph and an exit status.
pub fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("BIASCAM_LOG");
    // Who looks for a fault wants to know which module says it.
    let with_modules = filter.is_ok();
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Colours are for people: a log file would hold their escape codes.
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()))
        .with_target(with_modules)
        .without_time()
        // It would say so with `eprintln!`, which ends the program.
        .log_internal_errors(false)
        .init();
    let command = Cli::try_parse().unwrap_or_else(|error| refuse(error)).command;
    let makes_results = command.makes_results();
    match threads().and_then(|()| run(command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let status = error.exit_status();
            let message = if makes_results {
                describe(&error)
            } else {
                describe(error.without_way_out())
            };
            last_words(message);
            ExitCode::from(status)
        }
    }
}

/// Starts the threads of parallel loops. Where the system has none for them, rayon would panic at the first loop.
///
/// # Errors
/// Then.
fn threads() -> Result<()> {
    let started = rayon::ThreadPoolBuilder::new().build_global();
    started.map_err(|error| pipeline::Error::Threads(std::io::Error::other(error)).into())
}

/// Ends the program with what is wrong with the command line.
fn refuse(error: clap::Error) -> ! {
    let arguments = std::env::args_os().skip(1);
    let arguments: Vec<String> = arguments.map(|one| one.to_string_lossy().into_owned()).collect();
    let error = with_tip(error, &Cli::command(), &arguments);
    if error.kind() != ErrorKind::ValueValidation {
        // clap shows what was typed as it is.
        if error.use_stderr() && arguments.iter().any(|one| one.contains(disk::is_unseen)) {
            to_stderr(error.render().to_string().trim_end());
            std::process::exit(error.exit_code());
        }
        error.exit();
    }
    to_stderr(in_words(error.to_string().trim_end()));
    std::process::exit(2)
}

/// A message without the words of the library that reads numbers.
fn in_words(message: &str) -> String {
    let words = [
        (
            "invalid digit found in string",
            "expected a whole number that is not negative",
        ),
        ("cannot parse integer from empty string", "expected a whole number"),
        ("number too large to fit in target type", "expected a smaller number"),
        ("number too small to fit in target type", "expected a larger number"),
        ("invalid float literal", "expected a number"),
        ("cannot parse float from empty string", "expected a number"),
    ];
    let all = |text: String, (theirs, ours): (&str, &str)| text.replace(theirs, ours);
    words.into_iter().fold(message.to_owned(), all)
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Reproduce(run) => run::execute(&run, Last::Report),
        Command::Train(run) => run::execute(&run, Last::Train),
        Command::Predict(run) => run::execute(&run, Last::Predict),
        Command::Explain(run) => run::execute(&run, Last::Explain),
        Command::Measure(run) => run::execute(&run, Last::Measure),
        Command::Draw(run) => run::execute(&run.run(), Last::Draw),
        Command::Sweep(arguments) => commands::sweep::run(&arguments),
        Command::BenchmarkMaps(arguments) => commands::benchmark_maps::run(&arguments),
        Command::Experiments(arguments) => commands::experiments::run(&arguments),
        Command::Check(arguments) => commands::check::run(&arguments),
        Command::Schema(arguments) => commands::schema::run(&arguments),
        Command::Data(command) => commands::data::run(command),
        Command::ExplainImages(arguments) => commands::explain_images::run(&arguments),
        Command::MeasureScores(arguments) => commands::measure_scores::run(&arguments),
        Command::Audit(arguments) => commands::audit::run(&arguments),
        Command::Report(arguments) => commands::report::run(&arguments),
        Command::Inspect(arguments) => commands::inspect::run(&arguments),
        Command::Completions(arguments) => commands::shell::completions(&arguments, Cli::command()),
        Command::Man(arguments) => commands::shell::manual(&arguments, Cli::command()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn numbers_of_the_command_line_are_asked_for_in_words() {
        for (line, words) in [
            ("biascam sweep s.yaml --jobs x", "expected a whole number"),
            (
                "biascam data procedural --out d --images 1.5",
                "expected a whole number",
            ),
            (
                "biascam explain-images a --weights w --out o --size 99999999999999999999999",
                "expected a smaller number",
            ),
            (
                "biascam data frontal --landmarks l --threshold abc",
                "expected a number",
            ),
        ] {
            let error = Cli::try_parse_from(line.split_whitespace()).expect_err(line);
            assert_eq!(error.kind(), ErrorKind::ValueValidation, "{line}");
            let said = in_words(&error.to_string());
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn what_may_have_been_meant_is_said() {
        for (line, words) in [
            ("run x.yaml --epochs 3", "`--set training.epochs=3`"),
            ("check x.yaml --training.epochs=5", "`--set training.epochs=5`"),
            ("train x.yaml --batch-size 4", "`--set training.batch_size=4`"),
            ("run x.yaml --no-such-key", "changed with `--set`"),
            ("run x.yaml --result r", "did you mean `--results`?"),
            ("explain-images a.png --weigths w --out o", "did you mean `--weights`?"),
            ("rn x.yaml", "did you mean `run`?"),
            ("data procedual", "did you mean `procedural`?"),
        ] {
            let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let error = Cli::try_parse_from(["biascam".to_owned()].iter().chain(&arguments)).expect_err(line);
            let said = with_tip(error, &Cli::command(), &arguments).to_string();
            assert!(said.contains(words) && !said.contains("as a value"), "{line}: {said}");
        }
    }

    #[test]
    fn the_recorded_command_makes_the_same_run() {
        let Ok(cli) = Cli::try_parse_from(
            "biascam draw a.yaml --set seed=2 --results r --name b --set training.epochs=1 --fresh".split_whitespace(),
        ) else {
            panic!("parses");
        };
        let Command::Draw(run) = cli.command else {
            panic!("a step");
        };
        let command = run.run().command(&Device::Cpu).join(" ");
        assert_eq!(
            command,
            "biascam reproduce a.yaml --set seed=2 --set training.epochs=1 --data data --results r --name b --device cpu"
        );
        Cli::try_parse_from(command.split_whitespace()).expect("parses");
    }

    #[test]
    fn the_documented_commands_parse() {
        for line in [
            "biascam reproduce",
            "biascam reproduce smoke",
            "biascam run mine.yaml --name a",
            "biascam experiments",
            "biascam experiments --write DIR --replace",
            "biascam reproduce a.yaml --results r --data d --device cuda:1 --set seed=2 --set training.epochs=1 --fresh",
            "biascam train a.yaml --name b",
            "biascam sweep s.yaml",
            "biascam sweep s.yaml --list",
            "biascam sweep s.yaml --status --results r",
            "biascam sweep s.yaml --jobs 2 --device cuda:0,cuda:1 --set training.epochs=1 --fresh",
            "biascam sweep s.yaml --slurm",
            "biascam sweep s.yaml --compare",
            "biascam benchmark-maps embedded --seeds 1,2,3 --images 40 --methods hires_cam,layer_cam --out which.md",
            "biascam data procedural --out d --images 10 --counterfactuals=Smiling,Bald --layout zip",
            "biascam check a.yaml --set seed=2",
            "biascam schema",
            "biascam schema sweep",
            "biascam data procedural --out d --images 10 --seed 3",
            "biascam data fetch celeba",
            "biascam data fetch resnet50 --out w",
            "biascam data frontal --landmarks l.txt --threshold 0.2",
            "biascam data counts --labels l.txt --partition p.txt",
            "biascam explain-images a.png b.png --weights w.safetensors --architecture resnet18 --width 16 --out o",
            "biascam explain-images --tensors t.safetensors --weights w.safetensors --architecture resnet50 --method cam \
             --target positive --attributes Bald,Young --out o.safetensors",
            "biascam explain-images a --weights w.safetensors --method score_cam,rise,centred_cam --layer stage3 --target label --labels l.txt \
             --reference r.safetensors --upsampling half_pixel --rise-masks 100 --fame-steps 20 --out o",
            "biascam measure-scores --scores s.csv --labels l.txt --images i.txt",
            "biascam audit --published",
            "biascam audit results/embedded --output audit",
            "biascam audit --classifiers plain,weighted a.csv --counts n.csv --regions r.yaml",
            "biascam audit --scores a.csv b.csv --labels l.txt --images i.txt",
            "biascam report results/a results/b --out both.html",
            "biascam inspect results/embedded",
            "biascam completions bash",
            "biascam man --out DIR",
            "biascam draw results/embedded --set figures.palette=grey",
            "biascam draw results/embedded --out paper --set figures.formats=[pdf]",
            "biascam reproduce a.yaml --set seed=2 --replace",
        ] {
            Cli::try_parse_from(line.split_whitespace()).expect(line);
        }
    }
}

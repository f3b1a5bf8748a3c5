//! `biascam sweep --slurm` on a real Slurm: munged, slurmctld and slurmd of Debian's slurm-wlm and munge, started here on the loopback
//! interface with ports, key and socket of their own, in a temporary folder. Without those programs, or without root, the test says so
//! and passes.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::place::{fails, succeeds};
use crate::sweep::Sweep;

/// Bounds every wait: a machine under load is slow, a broken cluster is slower.
const PATIENCE: Duration = Duration::from_secs(240);

/// A cluster of one node. Dropping it ends its daemons, whatever the test found.
struct Cluster {
    folder: tempfile::TempDir,
    daemons: Vec<Child>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Jobs first: their processes are not the daemons' children in the eyes of the system.
        self.client("scancel")
            .args(["--me", "--full", "--signal=KILL"])
            .output()
            .ok();
        self.client("scancel").arg("--me").output().ok();
        for daemon in self.daemons.iter_mut().rev() {
            daemon.kill().ok();
            daemon.wait().ok();
        }
    }
}

/// The paths of the daemons; `None` where one is missing.
fn daemons() -> Option<[PathBuf; 3]> {
    let find = |name: &str| {
        let folders = ["/usr/sbin", "/usr/local/sbin", "/usr/bin"].map(PathBuf::from);
        folders
            .into_iter()
            .map(|folder| folder.join(name))
            .find(|path| path.is_file())
    };
    Some([find("munged")?, find("slurmctld")?, find("slurmd")?])
}

fn text_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A port that nobody has at this moment.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

impl Cluster {
    /// Starts it; `Err` says why that is not possible here.
    fn start() -> Result<Self, String> {
        let [munged, slurmctld, slurmd] =
            daemons().ok_or("Slurm is not installed (Debian: apt-get install slurm-wlm munge)")?;
        if text_of("id", &["-u"]).as_deref() != Some("0") {
            return Err("slurmd needs root".to_owned());
        }
        let host = text_of("hostname", &["-s"]).ok_or("this machine has no host name")?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        for name in ["munge", "state", "spool"] {
            fs::create_dir(folder.path().join(name)).expect("made");
        }
        // munged insists on a key and folders that only its user can read.
        let key: Vec<u8> = (0..1024_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        fs::write(folder.path().join("munge/key"), key).expect("written");
        let private = Command::new("chmod")
            .args(["-R", "go="])
            .arg(folder.path().join("munge"))
            .status();
        assert!(private.expect("chmod").success());
        let (control, node) = (free_port(), free_port());
        let configuration = format!(
            "ClusterName=biascam\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser=root\nSlurmdUser=root\n\
             AuthType=auth/munge\nAuthInfo=socket={socket},cred_expire=5\nCredType=cred/munge\n\
             StateSaveLocation={state}\nSlurmdSpoolDir={spool}\nSlurmctldPidFile={ctldpid}\nSlurmdPidFile={dpid}\n\
             SlurmctldLogFile={ctldlog}\nSlurmdLogFile={dlog}\nSlurmctldPort={control}\nSlurmdPort={node}\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nSwitchType=switch/none\nMpiDefault=none\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\nReturnToService=2\n\
             JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none\n\
             SchedulerParameters=batch_sched_delay=0,sched_interval=1\nMinJobAge=300\nKillWait=10\nJobRequeue=1\n\
             NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=1000\nPartitionName=all Nodes={host} Default=YES State=UP\n",
            socket = at("munge/socket"),
            state = at("state"),
            spool = at("spool"),
            ctldpid = at("slurmctld.pid"),
            dpid = at("slurmd.pid"),
            ctldlog = at("slurmctld.log"),
            dlog = at("slurmd.log"),
        );
        fs::write(folder.path().join("slurm.conf"), configuration).expect("written");
        let mut cluster = Self {
            folder,
            daemons: Vec::new(),
        };
        let mut munge = Command::new(munged);
        munge.args(["--foreground", "--force", "--num-threads=2"]);
        for (option, name) in [
            ("socket", "munge/socket"),
            ("key-file", "munge/key"),
            ("log-file", "munge/log"),
            ("pid-file", "munge/pid"),
            ("seed-file", "munge/seed"),
        ] {
            munge.arg(format!("--{option}={}", cluster.at(name).display()));
        }
        cluster.daemon(munge);
        cluster.until("munged has its socket", |cluster| cluster.at("munge/socket").exists());
        for program in [slurmctld, slurmd] {
            let mut command = Command::new(program);
            command.arg("-D").arg("-f").arg(cluster.at("slurm.conf"));
            cluster.daemon(command);
        }
        cluster.until("the node is idle", |cluster| {
            let output = cluster.client("sinfo").args(["--noheader", "--format=%t"]).output();
            output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == "idle")
        });
        Ok(cluster)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn daemon(&mut self, mut command: Command) {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.env("SLURM_CONF", self.at("slurm.conf"));
        self.daemons.push(command.spawn().expect("a daemon starts"));
    }

    /// A program of Slurm, or one that starts them, on this cluster.
    fn on<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("SLURM_CONF", self.at("slurm.conf"))
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        self.on(&mut command);
        command
    }

    /// Waits until something holds; if it never does, says what, with the daemons' logs.
    fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            if started.elapsed() > PATIENCE {
                let log = |name: &str| fs::read_to_string(self.at(name)).unwrap_or_default();
                panic!(
                    "not within {PATIENCE:?}: {what}\n{}\n{}",
                    log("slurmctld.log"),
                    log("slurmd.log")
                );
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The states of all jobs that Slurm remembers.
    fn jobs(&self) -> String {
        let output = self
            .client("squeue")
            .args(["--noheader", "--array", "--states=all", "--format=%i %T"])
            .output();
        String::from_utf8_lossy(&output.expect("squeue").stdout).into_owned()
    }

    fn sweep(&self, sweep: &Sweep, arguments: &[&str]) -> Output {
        self.on(&mut sweep.command(arguments))
            .output()
            .expect("the program starts")
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn a_sweep_moves_between_this_machine_and_a_cluster() {
    let Some(cluster) = testing::without("slurm", Cluster::start()) else {
        return;
    };
    // The third run fails on the cluster too.
    let sweep = Sweep::new(
        "axes: {classifiers.swept.exponent: [0, 1]}\nruns: [{training.learning_rate: 1.0e+5, training.optimiser: sgd}]\n\
         slurm: {cpus: 1, memory: 500M}\n",
    );

    // Begun here, and stopped.
    let slow = ["--set", "training.epochs=60", "--set", "training.checkpoint_seconds=0"];
    let mut child = sweep
        .command(&slow)
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let state = sweep.results("exponent-0/swept/unfinished.safetensors");
    cluster.until("the first run has a state", |_| state.exists());
    let kill = Command::new("kill").arg("-INT").arg(child.id().to_string()).status();
    assert!(kill.expect("kill").success());
    assert_eq!(child.wait().expect("a status").code(), Some(130));

    // Goes on on the cluster.
    let slurm = ["--slurm", slow[0], slow[1], slow[2], slow[3]];
    let printed = succeeds(&cluster.sweep(&sweep, &slurm));
    assert!(printed.contains("3 runs are Slurm's job array"), "{printed}");
    let again = succeeds(&cluster.sweep(&sweep, &slurm));
    assert!(
        again.contains("nothing to hand in"),
        "a run in the queue is not handed in twice: {again}"
    );
    let status = succeeds(&cluster.sweep(&sweep, &["--status", slow[0], slow[1], slow[2], slow[3]]));
    assert!(status.contains("Slurm ") || status.contains("finished,"), "{status}");

    // Warned before the end of its time, as Slurm does it: the script has the run save its state, and puts the task back into the queue.
    let state = sweep.results("exponent-1/swept/unfinished.safetensors");
    cluster.until("the second run has a state", |_| state.exists());
    let array = printed
        .split("job array ")
        .nth(1)
        .and_then(|rest| rest.split(',').next());
    let mut warning = cluster.client("scancel");
    warning
        .args(["--batch", "--signal=USR1"])
        .arg(format!("{}_1", array.expect("a number")));
    succeeds(&warning.output().expect("scancel"));
    cluster.until("all jobs end", |cluster| {
        let jobs = cluster.jobs();
        !jobs.is_empty()
            && jobs
                .lines()
                .all(|job| ["COMPLETED", "FAILED"].iter().any(|state| job.ends_with(state)))
    });

    // Two runs are done, one failed for its reason, and the comparison was made and says so.
    for run in ["exponent-0", "exponent-1"] {
        assert!(
            sweep.results(run).join("tables/attributes.csv").is_file(),
            "{run}: {}",
            text(&sweep.results(&format!("logs/{run}.log")))
        );
    }
    assert!(text(&sweep.results("logs/exponent-0.log")).contains("going on after epoch"));
    let log = text(&sweep.results("logs/exponent-1.log"));
    let parts = [
        "stopped; the same command goes on from what is finished",
        "going on after epoch",
    ];
    assert!(parts.iter().all(|part| log.contains(part)), "{log}");
    assert_eq!(log.matches("$ biascam").count(), 2, "{log}");
    assert!(sweep.results("comparison/report.html").is_file());
    let outputs: String = fs::read_dir(sweep.results("slurm"))
        .expect("a folder")
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok())
        .collect();
    assert!(outputs.contains("2 of 3 runs are finished, 1 failed"), "{outputs}");

    // And ends here: the failed run is tried again, the others are not.
    let status = succeeds(&cluster.sweep(&sweep, &["--status", slow[0], slow[1], slow[2], slow[3]]));
    assert!(
        status.contains("2 finished, 0 running or in the queue, 1 failed"),
        "{status}"
    );
    let output = cluster.sweep(&sweep, &slow);
    assert!(fails(&output).contains("learning rate"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("2 finished before") && said.matches("started").count() == 1,
        "{said}"
    );
}

#[test]
fn without_slurm_the_way_out_is_said() {
    let sweep = Sweep::new("axes: {seed: [1, 2]}\n");
    let empty = tempfile::tempdir().expect("a temporary folder");
    let output = sweep.command(&["--slurm"]).env("PATH", empty.path()).output();
    let message = fails(&output.expect("the program starts"));
    assert!(
        message.contains("sbatch") && message.contains("leave out --slurm"),
        "{message}"
    );
}

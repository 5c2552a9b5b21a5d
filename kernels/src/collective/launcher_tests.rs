//! What launchers leave behind, and what they leave out.

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Place, Fault> {
    Place::read(&|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
}

const BY_HAND: [(&str, &str); 5] =
    [("RANK", "1"), ("WORLD_SIZE", "4"), ("LOCAL_RANK", "1"), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", "29500")];
const BY_SLURM: [(&str, &str); 5] =
    [("SLURM_PROCID", "5"), ("SLURM_NTASKS", "8"), ("SLURM_LOCALID", "1"), ("SLURM_JOB_NODELIST", "a[01-04]"), ("SLURM_JOB_ID", "1000")];

fn without(variables: &[(&'static str, &'static str)], name: &str) -> Vec<(&'static str, &'static str)> {
    variables.iter().filter(|(known, _)| *known != name).copied().collect()
}

#[test]
fn nothing_said_is_one_process() {
    assert_eq!(read(&[]), Ok(Place::alone()));
    assert_eq!(read(&[("RANK", ""), ("SLURM_NTASKS", "4"), ("SLURM_JOB_ID", "3")]), Ok(Place::alone()), "a shell that salloc opened");
    assert_eq!(read(&[("RANK", "0"), ("WORLD_SIZE", "1")]), Ok(Place::alone()));
}

#[test]
fn torchrun_and_by_hand() {
    let place = read(&BY_HAND).unwrap();
    assert_eq!((place.rank, place.world, place.local), (1, 4, 1));
    assert_eq!(place.meeting, Meeting { host: "127.0.0.1".into(), port: 29500, run: String::new() });
    let agent = [("TORCHELASTIC_USE_AGENT_STORE", "True"), ("TORCHELASTIC_RUN_ID", "run 7")];
    let under_torchrun = read(&[&BY_HAND[..], &agent].concat()).unwrap();
    assert_eq!((under_torchrun.meeting.port, under_torchrun.meeting.run.as_str()), (29501, "run 7"));
    let moved = read(&[&BY_HAND[..], &agent, &[("PELLUCID_PORT", "700")]].concat()).unwrap();
    assert_eq!(moved.meeting.port, 700);
}

#[test]
fn slurm() {
    let place = read(&BY_SLURM).unwrap();
    assert_eq!((place.rank, place.world, place.local), (5, 8, 1));
    assert_eq!(place.meeting, Meeting { host: "a01".into(), port: 21000, run: "slurm 1000.0".into() });
    let step = [("SLURM_STEP_NODELIST", "b7"), ("SLURM_STEP_NUM_TASKS", "6"), ("SLURM_STEP_ID", "2"), ("MASTER_PORT", "4000")];
    let place = read(&[&BY_SLURM[..], &step].concat()).unwrap();
    assert_eq!((place.world, place.meeting), (6, Meeting { host: "b7".into(), port: 4000, run: "slurm 1000.2".into() }));
}

#[test]
fn torchrun_wins_over_slurm() {
    assert_eq!(read(&[BY_SLURM, BY_HAND].concat()), read(&BY_HAND));
}

#[test]
fn what_is_half_set_is_named() {
    for (missing, _) in BY_HAND {
        let Err(Fault::Unset { name, .. }) = read(&without(&BY_HAND, missing)) else { panic!("{missing} is needed") };
        assert_eq!(name, missing);
    }
    for missing in ["SLURM_NTASKS", "SLURM_LOCALID", "SLURM_JOB_NODELIST", "SLURM_JOB_ID"] {
        let Err(fault @ Fault::Unset { name, .. }) = read(&without(&BY_SLURM, missing)) else { panic!("{missing} is needed") };
        assert!(name == missing && fault.to_string().contains("srun"), "{fault}");
    }
    let fault = read(&[("MASTER_ADDR", "localhost")]).unwrap_err();
    assert!(matches!(fault, Fault::Unset { name: "RANK", found: "MASTER_ADDR", .. }), "{fault}");
}

#[test]
fn what_contradicts_itself_is_named() {
    let with = |name: &'static str, value: &'static str| {
        let all = if name.starts_with("SLURM") { BY_SLURM } else { BY_HAND };
        read(&[&[(name, value)], &without(&all, name)[..]].concat()).unwrap_err()
    };
    assert_eq!(with("RANK", "4"), Fault::Contradiction { name: "RANK", value: 4, other: "WORLD_SIZE", count: 4 });
    assert_eq!(with("LOCAL_RANK", "9"), Fault::Contradiction { name: "LOCAL_RANK", value: 9, other: "WORLD_SIZE", count: 4 });
    assert_eq!(with("SLURM_PROCID", "8"), Fault::Contradiction { name: "SLURM_PROCID", value: 8, other: "SLURM_NTASKS", count: 8 });
    for (name, value) in [("RANK", "-1"), ("RANK", "one"), ("WORLD_SIZE", "0"), ("WORLD_SIZE", "99999"), ("MASTER_PORT", "0")] {
        assert!(matches!(with(name, value), Fault::Misread { name: named, .. } if named == name), "{name}={value}");
    }
    assert!(matches!(with("SLURM_JOB_NODELIST", "a[b"), Fault::Misread { name: "SLURM_JOB_NODELIST", .. }));
    let long = read(&[("RANK", &"\u{1b}[2J".repeat(100)), ("WORLD_SIZE", "2")]).unwrap_err().to_string();
    assert!(long.len() < 700 && !long.contains('\u{1b}'), "{long}");
}

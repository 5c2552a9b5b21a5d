//! Which of how many processes this one is: what the program that started it left in the environment.
//!
//! | launcher | variables |
//! |---|---|
//! | torchrun, or by hand | `RANK`, `WORLD_SIZE`, `LOCAL_RANK`, `MASTER_ADDR`, `MASTER_PORT` |
//! | Slurm's srun | `SLURM_PROCID`, `SLURM_NTASKS` (or `SLURM_STEP_NUM_TASKS`), `SLURM_LOCALID`, `SLURM_STEP_NODELIST` (or `SLURM_JOB_NODELIST`) |
//!
//! torchrun's win over Slurm's, because torchrun may itself be started by srun. `MASTER_ADDR` and `MASTER_PORT` alone, beside Slurm's
//! variables, say where Slurm's ranks meet; otherwise they meet on the first host of the list, at port 20000 + (31·job + step) mod 10000.
//! `PELLUCID_PORT` says another port whatever the launcher. Under torchrun an agent listens at `MASTER_PORT` itself
//! (`TORCHELASTIC_USE_AGENT_STORE=True`), so ranks meet at the port after it. Without any of these variables there is one process.

use super::{Fault, MOST_RANKS, hosts};

/// This process among the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its number, from 0.
    pub rank: usize,
    /// How many processes there are.
    pub world: usize,
    /// Its number among those of its machine: the device that is its own.
    pub local: usize,
    /// Where the processes meet.
    pub meeting: Meeting,
}

/// Where processes of a run find each other: rank 0 listens there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meeting {
    /// Rank 0's machine, by name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What tells this run from another that takes the same port.
    pub run: String,
}

/// The value of a variable of the environment, nothing where it is not set or empty.
type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

const TORCHRUN: [&str; 5] = ["RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"];

impl Place {
    /// One process that works alone.
    pub fn alone() -> Self {
        Self { rank: 0, world: 1, local: 0, meeting: Meeting::default() }
    }

    /// What the environment of this process says.
    ///
    /// # Errors
    /// As for [`Place::read`].
    pub fn of_environment() -> Result<Self, Fault> {
        Self::read(&|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// What an environment says.
    ///
    /// # Errors
    /// [`Fault::Unset`], [`Fault::Misread`] and [`Fault::Contradiction`], which name the variable.
    ///
    /// ```
    /// use kernels::collective::Place;
    /// let of = |name: &str| match name { "SLURM_PROCID" => Some("3"), "SLURM_NTASKS" => Some("8"), "SLURM_LOCALID" => Some("1"),
    ///     "SLURM_JOB_ID" => Some("77"), "SLURM_STEP_NODELIST" => Some("node[03-07,12]"), _ => None };
    /// let place = Place::read(&|name| of(name).map(str::to_owned))?;
    /// assert_eq!((place.rank, place.world, place.local), (3, 8, 1));
    /// assert_eq!((place.meeting.host.as_str(), place.meeting.port), ("node03", 22387));
    /// # Ok::<(), kernels::collective::Fault>(())
    /// ```
    pub fn read(environment: Environment) -> Result<Self, Fault> {
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let ranked = |name: &&&str| variable(name).is_some() && !name.starts_with("MASTER");
        let by_slurm = variable("SLURM_PROCID").is_some();
        match TORCHRUN.iter().find(ranked) {
            Some(found) => by_torchrun(&variable, found),
            None if by_slurm => of_slurm(&variable),
            None => match TORCHRUN.iter().find(|name| variable(name).is_some()) {
                Some(found) => by_torchrun(&variable, found),
                None => Ok(Self::alone()),
            },
        }
    }
}

fn by_torchrun(variable: Environment, found: &'static str) -> Result<Place, Fault> {
    let otherwise = "unset RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT to start one process";
    let needed = |name, meaning| Fault::Unset { name, found, meaning, otherwise };
    let rank = number(variable, "RANK")?.ok_or(needed("RANK", "the number of this process, from 0"))?;
    let world = number(variable, "WORLD_SIZE")?.ok_or(needed("WORLD_SIZE", "how many processes there are"))?;
    let [rank, world] = within([("RANK", rank), ("WORLD_SIZE", world)])?;
    if world == 1 {
        let local = number(variable, "LOCAL_RANK")?.unwrap_or(0);
        return Ok(Place { local, ..Place::alone() });
    }
    let local = number(variable, "LOCAL_RANK")?.ok_or(needed("LOCAL_RANK", "this process's number on its machine, from 0"))?;
    let [local, _] = within([("LOCAL_RANK", local), ("WORLD_SIZE", world)])?;
    let host = variable("MASTER_ADDR").ok_or(needed("MASTER_ADDR", "the machine of rank 0"))?;
    let port = port(variable, "MASTER_PORT")?.ok_or(needed("MASTER_PORT", "a free port of rank 0's machine"))?;
    let is_taken = variable("TORCHELASTIC_USE_AGENT_STORE").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let after = if port == u16::MAX { port - 1 } else { port + 1 };
    let port = self::port(variable, "PELLUCID_PORT")?.unwrap_or(if is_taken { after } else { port });
    Ok(Place { rank, world, local, meeting: Meeting { host, port, run: variable("TORCHELASTIC_RUN_ID").unwrap_or_default() } })
}

fn of_slurm(variable: Environment) -> Result<Place, Fault> {
    let otherwise = "start the program by srun, or unset SLURM_PROCID to start one process";
    let needed = |name, meaning| Fault::Unset { name, found: "SLURM_PROCID", meaning, otherwise };
    let counted = if variable("SLURM_STEP_NUM_TASKS").is_some() { "SLURM_STEP_NUM_TASKS" } else { "SLURM_NTASKS" };
    let rank = number(variable, "SLURM_PROCID")?.unwrap_or(0);
    let world = number(variable, counted)?.ok_or(needed("SLURM_NTASKS", "how many processes there are"))?;
    let [rank, world] = within([("SLURM_PROCID", rank), (counted, world)])?;
    let local = number(variable, "SLURM_LOCALID")?;
    if world == 1 {
        return Ok(Place { local: local.unwrap_or(0), ..Place::alone() });
    }
    let local = local.ok_or(needed("SLURM_LOCALID", "this process's number on its machine, from 0"))?;
    let [local, _] = within([("SLURM_LOCALID", local), (counted, world)])?;
    let listed = if variable("SLURM_STEP_NODELIST").is_some() { "SLURM_STEP_NODELIST" } else { "SLURM_JOB_NODELIST" };
    let host = match (variable("MASTER_ADDR"), variable(listed)) {
        (Some(host), _) => host,
        (None, None) => return Err(needed("SLURM_JOB_NODELIST", "the machines of the job")),
        (None, Some(list)) => {
            hosts::first(&list).ok_or_else(|| Fault::Misread { name: listed, value: shortened(&list), expected: "a list of hosts" })?
        }
    };
    let (job, step) = (number(variable, "SLURM_JOB_ID")?, number(variable, "SLURM_STEP_ID")?.unwrap_or(0));
    let given = port(variable, "PELLUCID_PORT")?.or(port(variable, "MASTER_PORT")?);
    let derived = job.map(|job| 20000 + (job.wrapping_mul(31).wrapping_add(step) % 10000) as u16);
    let port = given.or(derived).ok_or(needed("SLURM_JOB_ID", "the job's number, or set MASTER_PORT"))?;
    let run = format!("slurm {}.{step}", job.unwrap_or(0));
    Ok(Place { rank, world, local, meeting: Meeting { host, port, run } })
}

/// A rank and how many there are, when both can be true.
fn within([(name, value), (other, count)]: [(&'static str, usize); 2]) -> Result<[usize; 2], Fault> {
    match count {
        1..=MOST_RANKS if value < count => Ok([value, count]),
        1..=MOST_RANKS => Err(Fault::Contradiction { name, value, other, count }),
        _ => Err(Fault::Misread { name: other, value: count.to_string(), expected: "a number of processes from 1 to 1024" }),
    }
}

fn number(variable: Environment, name: &'static str) -> Result<Option<usize>, Fault> {
    let misread = |value: String| Fault::Misread { name, value: shortened(&value), expected: "a number from 0" };
    variable(name).map(|value| value.trim().parse().map_err(|_| misread(value))).transpose()
}

fn port(variable: Environment, name: &'static str) -> Result<Option<u16>, Fault> {
    let Some(value) = variable(name) else { return Ok(None) };
    let found = value.trim().parse().ok().filter(|port| *port > 0);
    found.map(Some).ok_or_else(|| Fault::Misread { name, value: shortened(&value), expected: "a port from 1 to 65535" })
}

/// What of a value is shown: variables may hold anything.
fn shortened(value: &str) -> String {
    value.chars().take(60).flat_map(char::escape_default).collect()
}

#[cfg(test)]
#[path = "launcher_tests.rs"]
mod tests;

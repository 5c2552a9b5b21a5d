//! The `pellucid` command.

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (file, folder) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    let experiment = workbench::experiment::Experiment::read(file.as_ref())?;
    workbench::experiment::run(&experiment, folder.as_ref())?;
    Ok(())
}

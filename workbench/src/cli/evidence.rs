//! `pellucid evidence`: where maps point on drawn lesions, beside controls.

use clap::Args;
use datasets::synthetic::{Cohort, CohortPlan, Shares};
use reports::table::{Align, Column, Table, percent};

use super::methods::MethodArguments;
use super::model::ModelArguments;

use crate::dashboard::TestRecord;
use crate::drawn_model;
use crate::evidence::{Localisation, localisation};

/// Measure where maps point on drawn lesions, beside controls.
#[derive(Debug, Args)]
#[command(
    after_help = "A share of relevance inside the lesion means something only beside the controls: lesions sit in the middle and fill\npart of the picture, so a blob at the centre scores well, and a map that knows nothing scores the lesion's area.\n\nExample: pellucid evidence --method all --images 140"
)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,

    #[command(flatten)]
    methods: MethodArguments,

    /// Drawn pictures to measure on, as many of each class
    #[arg(long, value_name = "N", default_value_t = 140)]
    images: usize,

    /// Seed of the drawn cohort; the shipped model has never seen the default one
    #[arg(long, value_name = "SEED", default_value_t = 9001)]
    seed: u64,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut methods = arguments.methods.methods()?;
    let vit = arguments.model.load()?;
    arguments.methods.give_baseline(&vit, &mut methods)?;
    let plan = CohortPlan {
        images: arguments.images,
        patients: arguments.images,
        seed: arguments.seed,
        shares: Shares::Balanced,
        ..CohortPlan::default()
    };
    let cohort = Cohort::draw(&plan)?;
    let rows = localisation(&vit, &cohort, &(0..cohort.len()).collect::<Vec<_>>(), &methods)?;
    if arguments.model.model == "drawn" {
        println!("The shipped model on the test part of its cohort, {}:\n\n{}", drawn_model::LABEL, evaluation_table()?);
    }
    println!("Relevance inside the lesion, {} drawn pictures, target predicted:\n\n{}", arguments.images, table(&rows));
    Ok(())
}

/// The metrics of the shipped model's test part.
fn evaluation_table() -> anyhow::Result<String> {
    let evaluation = TestRecord::drawn()?.evaluation;
    Ok(format!("{}\n{}", evaluation.summary_table(), evaluation.class_table()))
}

/// The rows as Markdown.
pub(super) fn table(rows: &[Localisation]) -> Table {
    let columns = [("map", Align::Left), ("inside the lesion (95 % CI)", Align::Right), ("above the area's share", Align::Right)];
    let mut table = Table::new(columns.map(|(heading, align)| Column::new(heading, align)).into());
    for row in rows {
        table.push(vec![row.name.clone(), row.inside.to_string(), percent(Some(row.above_area))]);
    }
    table
}

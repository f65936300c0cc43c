//! `mirror schema`: every attribute of every block.

use mirror_plan::address::Kind;
use mirror_plan::schema::{blocks_markdown, functions_markdown, reference_markdown, schema};

use super::Ended;
use crate::cli::SchemaArgs;
use crate::exit::ExitStatus;
use crate::ui::Ui;

pub(crate) fn run(args: &SchemaArgs, ui: &mut Ui) -> Ended {
    match args {
        SchemaArgs { json: true, kind: None } => ui.data(format_args!("{:#}\n", schema())),
        SchemaArgs { json: true, kind: Some(kind) } => {
            ui.data(format_args!("{:#}\n", schema()["kinds"][kind.word()]));
        }
        SchemaArgs { json: false, kind: Some(kind) } => ui.data(reference_markdown(*kind)),
        SchemaArgs { json: false, kind: None } => {
            let kinds = Kind::all().map(reference_markdown);
            let pages = [blocks_markdown()].into_iter().chain(kinds).chain([functions_markdown()]);
            ui.data(pages.collect::<Vec<_>>().join("\n"));
        }
    }
    Ok(ExitStatus::Done)
}

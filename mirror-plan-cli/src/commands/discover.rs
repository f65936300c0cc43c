//! `mirror discover`: a stack file for what a VPC holds.

use mirror_plan::aws::candidates;
use mirror_plan::aws::discover::discover;
use mirror_plan::code;
use mirror_plan::diagnostic::Diagnostic;
use mirror_plan::import::{named, unnamed};

use super::Ended;
use super::taken::{Files, Taken};
use crate::cli::DiscoverArgs;
use crate::cloud::{self, Others};
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::ui::Ui;

pub(crate) async fn run(args: &DiscoverArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let DiscoverArgs { vpc, name } = args;
    let files = Files::of(name)?;
    let aws = cloud::connect(settings, None, &Others::NONE).await?;
    let discovered = cloud::looked_at(discover(&aws, vpc).await)?;
    let wanted = unnamed(&discovered.objects);
    let (adoptions, told) = cloud::looked_at(candidates(&aws, name.as_str(), &wanted).await)?;
    for line in discovered.left.iter().chain(told.iter().map(|found| &found.title)) {
        ui.note(format_args!("Left out: {line}"));
    }
    if adoptions.is_empty() {
        return Err(Diagnostic::error(
            code::IMPORT,
            format!("nothing in {vpc} can be taken into a stack"),
        )
        .into());
    }
    let taken = Taken::of(name, &aws, named(adoptions)).await?;
    for adoption in &taken.adoptions {
        ui.data(format_args!("{} ({})\n", adoption.address, adoption.found.id));
    }
    taken.tell(ui);
    files.write(&taken, settings, ui)?;
    Ok(ExitStatus::Done)
}

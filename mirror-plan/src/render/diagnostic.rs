//! Diagnostics as a picture of the file, in Terraform's words, as JSON lines, and as annotations of a
//! pull request.

use std::fmt::Write as _;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use super::Palette;

mod terraform;

pub use terraform::terraform;

use crate::address::Address;
use crate::diagnostic::{
    Code, Diagnostic, Diagnostics, Help, Label, Patch, Severity, Source, Span,
};

/// Renders diagnostics as `rustc` shows them: each with the lines it is about and the places marked in them.
#[must_use]
pub fn human(diagnostics: &Diagnostics, palette: Palette) -> String {
    let renderer = if palette == Palette::plain() { Renderer::plain() } else { Renderer::styled() };
    let pictures = diagnostics.iter().map(|diagnostic| {
        let groups = groups(diagnostic);
        let mut picture = renderer.render(&groups);
        picture.push('\n');
        picture
    });
    pictures.collect::<Vec<_>>().join("\n")
}

/// What is wrong, and each proposed edit.
fn groups(diagnostic: &Diagnostic) -> Vec<Group<'_>> {
    let Diagnostic { code, severity, title, address, labels, notes, help } = diagnostic;
    let mut first = level(*severity).primary_title(title).id(code.0).elements(snippets(labels));
    if let (true, Some(address)) = (labels.is_empty(), address) {
        first = first.element(Level::NOTE.message(format!("in `{address}`")));
    }
    for note in notes {
        first = first.element(Level::NOTE.message(readable(note)));
    }
    let mut edits = Vec::new();
    for Help { text, patch } in help {
        match patch {
            None => first = first.element(Level::HELP.message(readable(text))),
            Some(Patch { span, text: by }) => {
                let snippet = Snippet::source(span.source.text.as_str())
                    .path(span.source.name.as_str())
                    .patch(annotate_snippets::Patch::new(span.bytes.clone(), by.as_str()));
                edits.push(Level::HELP.secondary_title(readable(text)).element(snippet));
            }
        }
    }
    [first].into_iter().chain(edits).collect()
}

/// The marked places, one picture for each file, the main place first.
fn snippets<'l>(labels: &'l [Label]) -> Vec<Snippet<'l, Annotation<'l>>> {
    let mut sources: Vec<&Arc<Source>> = Vec::new();
    for Label { span, .. } in labels {
        if !sources.iter().any(|source| Arc::ptr_eq(source, &span.source)) {
            sources.push(&span.source);
        }
    }
    let snippet = |source: &'l Arc<Source>| {
        let here = labels.iter().enumerate();
        let here = here.filter(|(_, label)| Arc::ptr_eq(source, &label.span.source));
        let marks = here.map(|(position, Label { span, text })| {
            let kind =
                if position == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let text = Some(text.as_str()).filter(|text| !text.is_empty());
            kind.span(span.bytes.clone()).label(text)
        });
        Snippet::source(source.text.as_str()).path(source.name.as_str()).annotations(marks)
    };
    sources.into_iter().map(snippet).collect()
}

const fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Information => Level::INFO,
    }
}

/// A text without characters that could move the cursor; it may quote files and answers of AWS.
fn readable(text: &str) -> String {
    let mut readable = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => readable.push(c),
            c if c.is_control() => readable.extend(c.escape_unicode()),
            c => readable.push(c),
        }
    }
    readable
}

/// Renders diagnostics as JSON, one object per line.
#[must_use]
pub fn json(diagnostics: &Diagnostics) -> String {
    let mut lines = String::new();
    for diagnostic in diagnostics {
        let line = serde_json::to_string(&Line::from(diagnostic));
        lines.push_str(&line.expect("texts and numbers are JSON"));
        lines.push('\n');
    }
    lines
}

/// The line of JSON for a diagnostic.
#[derive(Serialize)]
struct Line<'d> {
    code: Code,
    severity: Severity,
    title: &'d str,
    address: Option<&'d Address>,
    #[serde(flatten)]
    place: Option<Place<'d>>,
    labels: Vec<LabelLine<'d>>,
    notes: &'d [String],
    help: Vec<HelpLine<'d>>,
}

/// A place in a file; lines and columns count from 1, columns in characters.
#[derive(Serialize)]
struct Place<'d> {
    file: &'d str,
    line: usize,
    column: usize,
    end: End,
}

#[derive(Serialize)]
struct End {
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct LabelLine<'d> {
    text: &'d str,
    #[serde(flatten)]
    place: Place<'d>,
}

#[derive(Serialize)]
struct HelpLine<'d> {
    text: &'d str,
    patch: Option<PatchLine<'d>>,
}

#[derive(Serialize)]
struct PatchLine<'d> {
    #[serde(flatten)]
    place: Place<'d>,
    /// What to put there.
    replacement: &'d str,
}

impl<'d> From<&'d Diagnostic> for Line<'d> {
    fn from(diagnostic: &'d Diagnostic) -> Self {
        let Diagnostic { code, severity, title, address, labels, notes, help } = diagnostic;
        let label = |Label { span, text }: &'d Label| LabelLine { text, place: span.into() };
        let help_line = |Help { text, patch }: &'d Help| HelpLine {
            text,
            patch: patch
                .as_ref()
                .map(|Patch { span, text }| PatchLine { place: span.into(), replacement: text }),
        };
        Self {
            code: *code,
            severity: *severity,
            title,
            address: address.as_ref(),
            place: labels.first().map(|label| (&label.span).into()),
            labels: labels.iter().map(label).collect(),
            notes,
            help: help.iter().map(help_line).collect(),
        }
    }
}

impl<'d> From<&'d Span> for Place<'d> {
    fn from(span: &'d Span) -> Self {
        let (line, column) = span.source.position(span.bytes.start);
        let (end_line, end_column) = span.source.position(span.bytes.end);
        let end = End { line: end_line, column: end_column };
        Self { file: &span.source.name, line, column, end }
    }
}

/// Renders diagnostics as workflow commands, which GitHub shows as annotations at the lines of a pull request.
#[must_use]
pub fn github(diagnostics: &Diagnostics) -> String {
    diagnostics.iter().map(command).collect()
}

fn command(diagnostic: &Diagnostic) -> String {
    let Diagnostic { code, severity, title, address, labels, notes, help } = diagnostic;
    let word = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information => "notice",
    };
    let mut command = format!("::{word} ");
    if let Some(Label { span, .. }) = labels.first() {
        let Place { file, line, column, end } = span.into();
        // Writing to a string cannot fail.
        let _ = write!(
            command,
            "file={},line={line},col={column},endLine={},",
            property(file),
            end.line
        );
    }
    let mut text = match address {
        Some(address) => format!("{address}: {title}"),
        None => title.clone(),
    };
    let help = help.iter().map(|help| ("help", &help.text));
    for (word, line) in notes.iter().map(|note| ("note", note)).chain(help) {
        let _ = write!(text, "\n{word}: {line}");
    }
    let _ = writeln!(command, "title={}::{}", property(code.0), message(&text));
    command
}

/// A text that cannot end a workflow command.
fn message(text: &str) -> String {
    readable(&text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A"))
}

/// A text that cannot end a property of a workflow command either.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::code;

    fn span(source: &Arc<Source>, text: &str) -> Span {
        let start = source.text.find(text).unwrap();
        Span { source: Arc::clone(source), bytes: start..start + text.len() }
    }

    fn found() -> Diagnostics {
        let file = Arc::new(Source {
            name: "stacks/a,b:c.mirror.hcl".into(),
            text:
                "# größer\nvpc \"lab\" {\n  cdir = \"10.0.0.0/16\"\n  tags = {\n    a = 1\n  }\n}\n"
                    .into(),
        });
        let given = Arc::new(Source { name: "-var".into(), text: "x=1".into() });
        let lab = "vpc.lab".parse().unwrap();
        let whole_tags = "{\n    a = 1\n  }";
        Diagnostics::from_iter([
            Diagnostic::error(code::UNKNOWN_ATTRIBUTE, "the VPC has no attribute `cdir`")
                .of(&lab)
                .at(span(&file, "cdir"), "")
                .at(span(&file, "vpc \"lab\""), "in this block")
                .at(span(&given, "1"), "from here")
                .note("100% sure,\nin two lines")
                .help_patch("did you mean `cidr`?", span(&file, "cdir"), "cidr")
                .help("or leave it out"),
            Diagnostic::warning(code::WRONG_VALUE, "several lines")
                .at(span(&file, whole_tags), "here"),
            Diagnostic::error(code::STALE_PLAN, "no place at all").of(&lab).note("a\u{1b}[31mb"),
        ])
    }

    #[test]
    fn people_see_the_file() {
        assert_snapshot!(human(&found(), Palette::plain()), @r#"
        error[MP0004]: the VPC has no attribute `cdir`
         --> stacks/a,b:c.mirror.hcl:3:3
          |
        2 | vpc "lab" {
          | --------- in this block
        3 |   cdir = "10.0.0.0/16"
          |   ^^^^
          |
         ::: -var:1:3
          |
        1 | x=1
          |   - from here
          |
          = note: 100% sure,
                  in two lines
          = help: or leave it out
        help: did you mean `cidr`?
          |
        3 -   cdir = "10.0.0.0/16"
        3 +   cidr = "10.0.0.0/16"
          |

        warning[MP0007]: several lines
         --> stacks/a,b:c.mirror.hcl:4:10
          |
        4 |     tags = {
          |  __________^
        5 | |     a = 1
        6 | |   }
          | |___^ here

        error[MP0501]: no place at all
         |
         = note: in `vpc.lab`
         = note: a\u{1b}[31mb
        "#);
    }

    #[test]
    fn terraform_begins_with_a_word() {
        assert_snapshot!(terraform(&found()), @r#"
        Error: the VPC has no attribute `cdir`

          with vpc.lab,
          on stacks/a,b:c.mirror.hcl line 3:
           3:   cdir = "10.0.0.0/16"

          on stacks/a,b:c.mirror.hcl line 2, in this block:
           2: vpc "lab" {

          on -var line 1, from here:
           1: x=1

          100% sure,
          in two lines

          did you mean `cidr`?

          or leave it out

          `mirror explain MP0004` says more.

        Warning: several lines

          on stacks/a,b:c.mirror.hcl line 4, here:
           4:   tags = {

          `mirror explain MP0007` says more.

        Error: no place at all

          with vpc.lab,

          a\u{1b}[31mb

          `mirror explain MP0501` says more.
        "#);
    }

    #[test]
    fn color_adds_nothing_but_color() {
        let colored = human(&found(), Palette::colored());
        assert_ne!(colored, human(&found(), Palette::plain()));
        let mut plain = String::new();
        let mut pieces = colored.split("\u{1b}[");
        plain.push_str(pieces.next().unwrap());
        for piece in pieces {
            plain.push_str(piece.split_once('m').unwrap().1);
        }
        assert_eq!(plain, human(&found(), Palette::plain()));
    }

    #[test]
    fn programs_get_a_line_each() {
        assert_snapshot!(json(&found()), @r#"
        {"code":"MP0004","severity":"error","title":"the VPC has no attribute `cdir`","address":"vpc.lab","file":"stacks/a,b:c.mirror.hcl","line":3,"column":3,"end":{"line":3,"column":7},"labels":[{"text":"","file":"stacks/a,b:c.mirror.hcl","line":3,"column":3,"end":{"line":3,"column":7}},{"text":"in this block","file":"stacks/a,b:c.mirror.hcl","line":2,"column":1,"end":{"line":2,"column":10}},{"text":"from here","file":"-var","line":1,"column":3,"end":{"line":1,"column":4}}],"notes":["100% sure,\nin two lines"],"help":[{"text":"did you mean `cidr`?","patch":{"file":"stacks/a,b:c.mirror.hcl","line":3,"column":3,"end":{"line":3,"column":7},"replacement":"cidr"}},{"text":"or leave it out","patch":null}]}
        {"code":"MP0007","severity":"warning","title":"several lines","address":null,"file":"stacks/a,b:c.mirror.hcl","line":4,"column":10,"end":{"line":6,"column":4},"labels":[{"text":"here","file":"stacks/a,b:c.mirror.hcl","line":4,"column":10,"end":{"line":6,"column":4}}],"notes":[],"help":[]}
        {"code":"MP0501","severity":"error","title":"no place at all","address":"vpc.lab","labels":[],"notes":["a\u001b[31mb"],"help":[]}
        "#);
    }

    #[test]
    fn github_gets_commands_that_no_text_ends() {
        assert_snapshot!(github(&found()), @r"
        ::error file=stacks/a%2Cb%3Ac.mirror.hcl,line=3,col=3,endLine=3,title=MP0004::vpc.lab: the VPC has no attribute `cdir`%0Anote: 100%25 sure,%0Ain two lines%0Ahelp: did you mean `cidr`?%0Ahelp: or leave it out
        ::warning file=stacks/a%2Cb%3Ac.mirror.hcl,line=4,col=10,endLine=6,title=MP0007::several lines
        ::error title=MP0501::vpc.lab: no place at all%0Anote: a\u{1b}[31mb
        ");
    }
}

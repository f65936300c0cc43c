//! Declarations: which blocks a stack file has, before anything in them is evaluated.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Attribute, Block, BlockLabel, Body, Structure};

use super::block::{BLOCKS, META_ATTRIBUTES, attribute_names};
use super::parse::Unreadable;
use super::taught;
use super::text::Text;
use crate::address::{AddressError, Kind, Name};
use crate::attribute::{listed, nearest};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::resource::object_type;
use crate::scalar::AccountName;
use crate::stack::SourceNames;

/// The blocks of a stack file.
#[derive(Debug, Default)]
pub(super) struct Declarations<'b> {
    /// The `stack` block, if there is exactly one.
    pub(super) stack: Option<&'b Block>,
    pub(super) variables: BTreeMap<&'b str, Declaration<'b>>,
    pub(super) locals: BTreeMap<&'b str, &'b Attribute>,
    pub(super) outputs: BTreeMap<&'b str, Declaration<'b>>,
    pub(super) accounts: BTreeMap<Name, Declaration<'b>>,
    pub(super) existing: BTreeMap<(Kind, Name), Declaration<'b>>,
    pub(super) sources: BTreeMap<Name, Declaration<'b>>,
    pub(super) moved: Vec<Declaration<'b>>,
    pub(super) resources: BTreeMap<(Kind, Name), Declaration<'b>>,
    /// Which of the blocks without a declaration of their own cannot be read.
    pub(super) unreadable: UnreadableParts,
}

/// Blocks whose text is wrong, so that more may be declared than is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UnreadableParts {
    pub(super) stack: bool,
    /// Any `locals` block.
    pub(super) locals: bool,
}

/// One block with a label.
#[derive(Debug)]
pub(super) struct Declaration<'b> {
    /// Its first line: `vpc "lab"`.
    pub(super) head: Span,
    /// The attributes that it sets, by name; only those that it may have.
    pub(super) attributes: BTreeMap<&'b str, &'b Attribute>,
    /// Whether its text is wrong: it exists, and nothing else is known of it. The mistake has been reported.
    pub(super) is_unreadable: bool,
}

impl<'b> Declaration<'b> {
    /// Returns the attributes of its kind, without `count` and `when`.
    pub(super) fn own(&self) -> impl Iterator<Item = &'b str> {
        self.attributes.keys().copied().filter(|name| !is_meta(name))
    }

    /// The expression of an attribute.
    pub(super) fn get(&self, name: &str) -> Option<&'b Expression> {
        self.attributes.get(name).map(|attribute| &attribute.value)
    }
}

/// Whether an attribute is one that every resource block has.
pub(super) fn is_meta(name: &str) -> bool {
    META_ATTRIBUTES.iter().any(|meta| meta.name == name)
}

/// Sorts the blocks of `body` by what they declare.
pub(super) fn declarations<'b>(
    (text, unreadable): (&Text, &Unreadable),
    body: &'b Body,
    diagnostics: &mut Diagnostics,
) -> Declarations<'b> {
    let mut reader = Reader { text, unreadable, diagnostics, declared: Declarations::default() };
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => reader.stray_attribute(attribute),
            Structure::Block(block) => reader.block(block),
        }
    }
    reader.need_stack(body);
    reader.declared
}

struct Reader<'b, 't> {
    text: &'t Text,
    unreadable: &'t Unreadable,
    diagnostics: &'t mut Diagnostics,
    declared: Declarations<'b>,
}

impl<'b> Reader<'b, '_> {
    fn stray_attribute(&mut self, attribute: &Attribute) {
        let title = format!("`{}` is outside any block", attribute.key.as_str());
        self.diagnostics.push(
            Diagnostic::error(code::UNKNOWN_BLOCK, title)
                .at(self.text.span(&attribute.key), "")
                .help("put it into a block; values of your own belong in `locals { ... }`"),
        );
    }

    fn block(&mut self, block: &'b Block) {
        let word = block.ident.as_str();
        match word {
            "stack" => self.stack(block),
            "locals" => self.locals(block),
            AccountName::WORD => self.account(block),
            "existing" => self.existing(block),
            "moved" => self.moved(block),
            SourceNames::WORD => self.sources(block),
            "variable" => {
                let found = self.labelled(block, &attribute_names("variable"), "variable");
                let Some((name, declaration)) = found else { return };
                let twice = insert(&mut self.declared.variables, name, declaration);
                self.refuse_second(&format!("var.{name}"), twice);
            }
            "output" => {
                let found = self.labelled(block, &attribute_names("output"), "output");
                let Some((name, declaration)) = found else { return };
                let twice = insert(&mut self.declared.outputs, name, declaration);
                self.refuse_second(&format!("output.{name}"), twice);
            }
            _ => match word.parse() {
                Ok(kind) => self.resource(kind, block),
                Err(_) => self.unknown_block(block),
            },
        }
    }

    fn unknown_block(&mut self, block: &Block) {
        let word = block.ident.as_str();
        let words = Kind::all().map(Kind::word).chain(BLOCKS.iter().map(|block| block.word));
        let at = self.text.span(&block.ident);
        let diagnostic =
            Diagnostic::error(code::UNKNOWN_BLOCK, format!("there is no block type `{word}`"))
                .at(at.clone(), "");
        self.diagnostics.push(match (word, nearest(word, words.clone())) {
            // As Terraform writes them.
            ("resource", _) => diagnostic.help("the kind is the block: `vpc \"NAME\" {`"),
            ("data", _) => diagnostic.help("write `existing \"vpc\" \"NAME\" {`"),
            (_, Some(near)) => diagnostic.help_patch(format!("did you mean `{near}`?"), at, near),
            (_, None) => diagnostic.help(format!("a stack file can have {}", listed(words))),
        });
    }

    fn stack(&mut self, block: &'b Block) {
        if let Some(first) = self.declared.stack {
            self.diagnostics.push(
                Diagnostic::error(code::STACK_BLOCK, "there are two `stack` blocks")
                    .at(self.text.head(block), "again here")
                    .at(self.text.head(first), "first here")
                    .help("a stack file describes one stack"),
            );
            return;
        }
        self.declared.stack = Some(block);
        self.declared.unreadable.stack = self.is_unreadable(block);
    }

    fn need_stack(&mut self, body: &Body) {
        if self.declared.stack.is_some() {
            return;
        }
        let start = body.iter().next().map_or(0..0, |first| self.text.span(first).bytes);
        self.diagnostics.push(
            Diagnostic::error(code::STACK_BLOCK, "there is no `stack` block")
                .at(self.text.bytes(start.start..start.start), "")
                .help("begin the file with `stack \"NAME\" { region = \"eu-west-1\" }`"),
        );
    }

    fn locals(&mut self, block: &'b Block) {
        self.refuse_label(block);
        self.declared.unreadable.locals |= self.is_unreadable(block);
        for structure in &block.body {
            let attribute = match structure {
                Structure::Attribute(attribute) => attribute,
                Structure::Block(inner) => {
                    self.block_inside(inner, "locals", &[]);
                    continue;
                }
            };
            let name = attribute.key.as_str();
            match self.declared.locals.entry(name) {
                Entry::Vacant(free) => {
                    free.insert(attribute);
                }
                Entry::Occupied(first) => self.diagnostics.push(duplicate(
                    &format!("local.{name}"),
                    self.text.span(&first.get().key),
                    self.text.span(&attribute.key),
                )),
            }
        }
    }

    fn resource(&mut self, kind: Kind, block: &'b Block) {
        let own = object_type(kind).attributes.iter().map(|attribute| attribute.name);
        let names: Vec<&str> = own.chain(META_ATTRIBUTES.iter().map(|meta| meta.name)).collect();
        let Some((name, declaration)) = self.labelled(block, &names, object_type(kind).title)
        else {
            return;
        };
        let Some(name) = self.name(block, name) else { return };
        let address = format!("{kind}.{name}");
        let twice = insert(&mut self.declared.resources, (kind, name), declaration);
        self.refuse_second(&address, twice);
    }

    /// `sources "NAME"`: interfaces that come and go.
    fn sources(&mut self, block: &'b Block) {
        let names = attribute_names(SourceNames::WORD);
        let found = self.labelled(block, &names, "sources block");
        let Some((name, declaration)) = found else { return };
        let Some(name) = self.name(block, name) else { return };
        let text = SourceNames::text_of(&name);
        let twice = insert(&mut self.declared.sources, name, declaration);
        self.refuse_second(&text, twice);
    }

    /// `aws "NAME"`: another account.
    fn account(&mut self, block: &'b Block) {
        let names = attribute_names(AccountName::WORD);
        let found = self.labelled(block, &names, "aws block");
        let Some((name, declaration)) = found else { return };
        let Some(name) = self.name(block, name) else { return };
        let text = AccountName::from(name.clone()).to_string();
        let twice = insert(&mut self.declared.accounts, name, declaration);
        self.refuse_second(&text, twice);
    }

    /// `moved`: a change of address.
    fn moved(&mut self, block: &'b Block) {
        self.refuse_label(block);
        let attributes = self.attributes(block, &attribute_names("moved"), "moved block");
        self.declared.moved.push(self.declaration(block, attributes));
    }

    fn is_unreadable(&self, block: &Block) -> bool {
        self.unreadable.contains(&self.text.head(block))
    }

    fn declaration(
        &self,
        block: &Block,
        attributes: BTreeMap<&'b str, &'b Attribute>,
    ) -> Declaration<'b> {
        let (head, is_unreadable) = (self.text.head(block), self.is_unreadable(block));
        Declaration { head, attributes, is_unreadable }
    }

    fn refuse_label(&mut self, block: &Block) {
        if let Some(label) = block.labels.first() {
            let title = format!("`{}` takes no label", block.ident.as_str());
            self.diagnostics
                .push(Diagnostic::error(code::BLOCK_LABELS, title).at(self.text.span(label), ""));
        }
    }

    /// Returns the name that is the label of a block.
    fn name(&mut self, block: &Block, label: &str) -> Option<Name> {
        let refuse = |error: AddressError| {
            let label = block.labels.first().map(|label| self.text.span(label));
            let wrong = Diagnostic::error(code::BLOCK_LABELS, error.to_string());
            self.diagnostics.push(wrong.at(label, ""));
        };
        label.parse().map_err(refuse).ok()
    }

    /// `existing "KIND" "NAME"`: an object that exists without the stack.
    fn existing(&mut self, block: &'b Block) {
        let attributes = self.attributes(block, &attribute_names("existing"), "existing object");
        let head = self.text.head(block);
        let [word, name] = block.labels.as_slice() else {
            self.diagnostics.push(
                Diagnostic::error(code::BLOCK_LABELS, "`existing` needs a kind and a name")
                    .at(head, "")
                    .help("write `existing \"vpc\" \"NAME\" {`"),
            );
            return;
        };
        let kind = word.as_str().parse::<Kind>().map_err(|_| self.unknown_kind(word));
        let name = name.as_str().parse::<Name>().map_err(|error| {
            let at = self.text.span(name);
            Diagnostic::error(code::BLOCK_LABELS, error.to_string()).at(at, "")
        });
        match (kind, name) {
            (Ok(kind), Ok(name)) => {
                let address = format!("{kind}.{name}");
                let declaration = self.declaration(block, attributes);
                let twice = insert(&mut self.declared.existing, (kind, name), declaration);
                self.refuse_second(&address, twice);
            }
            (kind, name) => {
                self.diagnostics.extend(kind.err());
                self.diagnostics.extend(name.err());
            }
        }
    }

    fn unknown_kind(&self, label: &BlockLabel) -> Diagnostic {
        let (word, at) = (label.as_str(), self.text.span(label));
        let title = format!("there is no kind `{word}`");
        let diagnostic = Diagnostic::error(code::UNKNOWN_BLOCK, title).at(at.clone(), "");
        match nearest(word, Kind::all().map(Kind::word)) {
            Some(near) => {
                diagnostic.help_patch(format!("did you mean `{near}`?"), at, format!("\"{near}\""))
            }
            None => diagnostic
                .help(format!("it must be one of {}", listed(Kind::all().map(Kind::word)))),
        }
    }

    fn refuse_second(&mut self, what: &str, twice: Option<(Span, Span)>) {
        self.diagnostics.extend(twice.map(|(first, again)| duplicate(what, first, again)));
    }

    /// The label and the attributes of a block that has exactly one label.
    fn labelled(
        &mut self,
        block: &'b Block,
        names: &[&str],
        title: &str,
    ) -> Option<(&'b str, Declaration<'b>)> {
        let attributes = self.attributes(block, names, title);
        let head = self.text.head(block);
        let word = block.ident.as_str();
        match block.labels.as_slice() {
            [label] => Some((label.as_str(), self.declaration(block, attributes))),
            [] => {
                self.diagnostics.push(
                    Diagnostic::error(code::BLOCK_LABELS, format!("`{word}` needs a name"))
                        .at(head, "")
                        .help(format!("write `{word} \"NAME\" {{`")),
                );
                None
            }
            [_, second, ..] => {
                let title = format!("`{word}` takes only one name");
                self.diagnostics.push(
                    Diagnostic::error(code::BLOCK_LABELS, title)
                        .at(self.text.span(second), "one too many"),
                );
                None
            }
        }
    }

    /// The attributes of a block by name; those that it may not have are reported and left out.
    fn attributes(
        &mut self,
        block: &'b Block,
        names: &[&str],
        title: &str,
    ) -> BTreeMap<&'b str, &'b Attribute> {
        let mut attributes = BTreeMap::new();
        for structure in &block.body {
            match structure {
                Structure::Block(inner) => self.block_inside(inner, title, names),
                Structure::Attribute(attribute) => {
                    let name = attribute.key.as_str();
                    let at = self.text.span(&attribute.key);
                    if names.contains(&name) {
                        attributes.insert(name, attribute);
                    } else if let Some(meant) = taught::meant(title, name) {
                        self.diagnostics.push(taught::not_an_attribute(name, meant, at));
                        attributes.entry(meant).or_insert(attribute);
                    } else {
                        self.diagnostics.push(no_such_attribute(title, name, names, at));
                    }
                }
            }
        }
        attributes
    }

    fn block_inside(&mut self, inner: &Block, title: &str, names: &[&str]) {
        let word = inner.ident.as_str();
        let diagnostic = Diagnostic::error(
            code::UNKNOWN_BLOCK,
            format!("the {title} cannot contain blocks, but `{word}` is one"),
        )
        .at(self.text.head(inner), "");
        self.diagnostics.push(if names.contains(&word) {
            diagnostic.help(format!("it is an attribute: write `{word} = ...`"))
        } else {
            diagnostic
        });
    }
}

/// Reports that a block has no such attribute, and which one is probably meant.
pub(super) fn no_such_attribute(title: &str, name: &str, names: &[&str], at: Span) -> Diagnostic {
    let diagnostic = Diagnostic::error(
        code::UNKNOWN_ATTRIBUTE,
        format!("the {title} has no attribute `{name}`"),
    )
    .at(at.clone(), "");
    match nearest(name, names.iter().copied()) {
        Some(near) => diagnostic.help_patch(format!("did you mean `{near}`?"), at, near),
        None => diagnostic.help(format!("it has {}", listed(names.iter().copied()))),
    }
}

/// The attributes of the stack block; what it may not have is reported.
pub(super) fn stack_attributes<'b>(
    text: &Text,
    block: &'b Block,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<&'b str, &'b Attribute> {
    let (unreadable, declared) = (&Unreadable::default(), Declarations::default());
    let mut reader = Reader { text, unreadable, diagnostics, declared };
    reader.attributes(block, &attribute_names("stack"), "stack")
}

/// Adds a declaration; returns the places of both if the name is taken.
fn insert<'b, K: Ord>(
    declared: &mut BTreeMap<K, Declaration<'b>>,
    key: K,
    declaration: Declaration<'b>,
) -> Option<(Span, Span)> {
    match declared.entry(key) {
        Entry::Vacant(free) => {
            free.insert(declaration);
            None
        }
        Entry::Occupied(first) => Some((first.get().head.clone(), declaration.head)),
    }
}

/// Reports that a name is declared twice.
pub(super) fn duplicate(what: &str, first: Span, again: Span) -> Diagnostic {
    Diagnostic::error(code::DUPLICATE, format!("`{what}` is declared twice"))
        .at(again, "declared again here")
        .at(first, "first declared here")
}

//! Tags across all kinds of resources.

use crate::action::Action;
use crate::ec2::traffic_mirror::target;
use crate::ec2::vpc_peering::side;
use crate::failure::{Failure, Outcome};
use crate::filter::{Patterns, unknown};
use crate::listing::{Page, token};
use crate::parameters::Parameters;
use crate::tags::{Tags, check_key};
use crate::world::{Call, Region, View};
use crate::xml::Xml;

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::write("CreateTags", create),
    Action::write("DeleteTags", delete),
    Action::read("DescribeTags", describe),
];

fn create(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let tags = Tags::listed(call.parameters, "Tag")?;
    if tags.is_empty() {
        return Err(Failure::missing("tagSet"));
    }
    for id in call.parameters.required_texts("ResourceId")? {
        target::refuse_shared(call.view(), id)?;
        side::claim(call, id);
        tags_mut(call.region, id)?.add(&tags)?;
    }
    xml.text("return", true);
    Ok(())
}

/// Deletes tags: of the given keys, of the given keys and values, or all.
fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    for id in parameters.required_texts("ResourceId")? {
        target::refuse_shared(call.view(), id)?;
        side::claim(call, id);
        let tags = tags_mut(call.region, id)?;
        let named = parameters.list("Tag");
        if named.is_empty() {
            tags.clear();
        }
        for tag in named {
            let key = tag.required("Key")?;
            check_key(key)?;
            tags.remove(key, tag.text("Value"));
        }
    }
    xml.text("return", true);
    Ok(())
}

/// Finds the tags of a resource of any kind.
fn tags_mut<'a>(region: &'a mut Region, id: &str) -> Outcome<&'a mut Tags> {
    let kind = region.tables().into_iter().map(|(_, table)| table.kind());
    let kinds: Vec<_> = kind.filter(|kind| !kind.resource_type.is_empty()).collect();
    for (_, table) in region.tables_mut() {
        if table.tags(id).is_some() {
            return table.tags_mut(id).ok_or_else(|| Failure::internal("the row is gone"));
        }
    }
    // If two kinds fit, such as `vpc-` and `vpc-cidr-assoc-`, the one with the longer prefix is
    // right.
    let fitting = kinds.iter().filter(|k| !k.prefix.is_empty() && id.starts_with(k.prefix));
    let Some(kind) = fitting.max_by_key(|kind| kind.prefix.len()) else {
        let message = format!("The ID '{id}' is not valid");
        return Err(Failure::new("InvalidID", message));
    };
    crate::listing::check_shape(kind, id, "resourceId")?;
    Err(crate::listing::not_found(kind, &[id]))
}

/// One tag of one resource.
struct Line {
    place: String,
    id: String,
    key: String,
    value: String,
    resource_type: &'static str,
}

const SET: &str = "tagSet";

/// What separates the parts of a place. It sorts before every character of an id.
const SEPARATOR: char = '\u{1}';

fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let conditions = conditions(parameters)?;
    let page = Page::parse(parameters, SET, &(5..=1000))?;
    let lines = collect(view.region, &conditions, &page);
    let rows = lines.iter().map(|line| (line.place.as_str(), line));
    let (rows, last) = page.fill(rows);
    xml.items(SET, rows, |xml, line| {
        xml.text("key", &line.key);
        xml.text("resourceId", &line.id);
        xml.text("resourceType", line.resource_type);
        xml.text("value", &line.value);
    });
    xml.optional("nextToken", last.map(|place| token(SET, place)));
    Ok(())
}

/// What must be true of a tag for it to be listed.
struct Condition {
    subject: Subject,
    patterns: Patterns,
}

enum Subject {
    Key,
    ResourceId,
    ResourceType,
    /// The resource has this tag, with a value that matches.
    Tag(String),
    Value,
}

fn conditions(parameters: &Parameters) -> Outcome<Vec<Condition>> {
    let mut conditions = Vec::new();
    for filter in parameters.list("Filter") {
        let name = filter.required("Name")?;
        let patterns = Patterns::parse(name, &filter.texts("Value"))?;
        let subject = match name {
            "key" => Subject::Key,
            "resource-id" => Subject::ResourceId,
            "resource-type" => Subject::ResourceType,
            "value" => Subject::Value,
            _ => match name.strip_prefix("tag:") {
                Some(key) => Subject::Tag(key.to_owned()),
                None => return Err(unknown(name)),
            },
        };
        conditions.push(Condition { subject, patterns });
    }
    Ok(conditions)
}

impl Condition {
    fn matches(&self, value: &str) -> bool {
        self.patterns.match_with(value)
    }

    /// Returns whether the condition allows any tag of a resource.
    fn allows(&self, resource_type: &str, id: &str, tags: &Tags) -> bool {
        match &self.subject {
            Subject::Key | Subject::Value => true,
            Subject::ResourceId => self.matches(id),
            Subject::ResourceType => self.matches(resource_type),
            Subject::Tag(key) => tags.value(key).is_some_and(|value| self.matches(value)),
        }
    }

    fn allows_tag(&self, key: &str, value: &str) -> bool {
        match &self.subject {
            Subject::Key => self.matches(key),
            Subject::Value => self.matches(value),
            Subject::ResourceId | Subject::ResourceType | Subject::Tag(_) => true,
        }
    }
}

/// Collects the tags of one page, and one more to show that there is another page.
fn collect(region: &Region, conditions: &[Condition], page: &Page) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut parts = page.after.split(SEPARATOR);
    let (after_table, after_id) =
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    for (name, table) in region.tables() {
        let resource_type = table.kind().resource_type;
        if resource_type.is_empty() || name < after_table {
            continue;
        }
        if name == after_table
            && let Some(tags) = table.tags(after_id)
        {
            // The previous page may have ended within this resource.
            let resource = Resource { table: name, id: after_id, resource_type };
            resource.add_lines(tags, conditions, &mut lines);
            lines.retain(|line| line.place > page.after);
        }
        let after = if name == after_table { after_id } else { "" };
        table.visit_tags(after, &mut |id, tags| {
            Resource { table: name, id, resource_type }.add_lines(tags, conditions, &mut lines);
            lines.len() <= page.limit
        });
        if lines.len() > page.limit {
            break;
        }
    }
    lines
}

/// A resource whose tags are being listed.
struct Resource<'a> {
    table: &'a str,
    id: &'a str,
    resource_type: &'static str,
}

impl Resource<'_> {
    fn add_lines(&self, tags: &Tags, conditions: &[Condition], lines: &mut Vec<Line>) {
        let Self { table, id, resource_type } = *self;
        if !conditions.iter().all(|condition| condition.allows(resource_type, id, tags)) {
            return;
        }
        for (key, value) in tags.iter() {
            if conditions.iter().all(|condition| condition.allows_tag(key, value)) {
                lines.push(Line {
                    place: format!("{table}{SEPARATOR}{id}{SEPARATOR}{key}"),
                    id: id.to_owned(),
                    key: key.to_owned(),
                    value: value.to_owned(),
                    resource_type,
                });
            }
        }
    }
}

//! Random edits, such as a person makes to a stack file.

use std::ops::Range;

/// Text that may occur in a file, and what somebody replaces it with.
const WORDS: &[(&str, &str)] = &[
    ("10.0.", "10.8."),
    ("10.1.", "10.9."),
    ("10.2.", "10.7."),
    ("0.0.0.0/0", "198.51.100.0/24"),
    ("8, 1)", "8, 3)"),
    ("8, 2)", "8, 4)"),
    ("8, 1)", "7, 1)"),
    ("1.0/24", "3.0/24"),
    ("2.0/24", "4.0/24"),
    ("eu-west-1a", "eu-west-1c"),
    ("eu-west-1a", "eu-west-1b"),
    ("eu-west-1b", "eu-west-1a"),
    ("\"internal\"", "\"internet-facing\""),
    ("t3.micro", "t3.small"),
    ("c6i.large", "c6i.xlarge"),
    ("true", "false"),
    ("false", "true"),
    ("4789", "4790"),
    ("\"tcp\"", "\"udp\""),
    ("\"udp\"", "\"tcp\""),
    ("\"udp\"", "\"tcp_udp\""),
    ("\"accept\"", "\"reject\""),
    ("\"tcp\", port = 80", "\"http\", port = 81, path = \"/up\""),
    ("number = 1", "number = 2"),
    ("number = 2", "number = 1"),
    ("number = 3", "number = 1"),
    ("number = 10,", "number = 20,"),
    ("= 2\n", "= 1\n"),
    ("= 6 #", "= 3 #"),
    ("[subnet.b]", "[subnet.a, subnet.b]"),
    ("[subnet.a, subnet.b]", "[subnet.b]"),
    ("[subnet.source-subnet, subnet.target-subnet]", "[subnet.target-subnet]"),
    ("[subnet.target-subnet]", "[subnet.source-subnet]"),
    ("echo ", "printf "),
];

/// A top-level block of a file.
#[derive(Clone, Debug)]
struct Block {
    kind: String,
    name: String,
    /// From the beginning of its first line to the end of its last.
    text: Range<usize>,
}

impl Block {
    fn address(&self) -> String {
        format!("{}.{}", self.kind, self.name)
    }
}

/// The named blocks of a file, laid out as `mirror fmt` and people write them.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut at, mut is_open) = (0, false);
    for line in text.split_inclusive('\n') {
        let begin = at;
        at += line.len();
        if is_open {
            blocks.last_mut().expect("it is open").text.end = at;
            is_open = line != "}\n";
        } else if let Some((kind, rest)) = line.split_once(" \"")
            && let Some((name, _)) = rest.split_once("\" {")
        {
            blocks.push(Block { kind: kind.to_owned(), name: name.to_owned(), text: begin..at });
            is_open = !line.contains('}');
        }
    }
    blocks
}

fn is_resource(block: &Block) -> bool {
    !["stack", "variable", "output"].contains(&block.kind.as_str())
}

/// Where an address is mentioned, except as the beginning or the end of another one.
fn mentions(text: &str, address: &str) -> Vec<usize> {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let places = text.match_indices(address).map(|(at, _)| at);
    let is_whole = |at: &usize| {
        !text[..*at].ends_with(goes_on) && !text[at + address.len()..].starts_with(goes_on)
    };
    places.filter(is_whole).collect()
}

/// The text with `from` replaced by `to` at these places.
fn replaced(text: &str, places: &[usize], (from, to): (&str, &str)) -> String {
    let mut text = text.to_owned();
    for at in places.iter().rev() {
        text.replace_range(*at..at + from.len(), to);
    }
    text
}

/// The text with another name for a block, wherever it is mentioned.
pub(crate) fn renamed(text: &str, (kind, from): (&str, &str), to: &str) -> String {
    let (old, new) = (format!("{kind}.{from}"), format!("{kind}.{to}"));
    let text = replaced(text, &mentions(text, &old), (&old, &new));
    text.replace(&format!("{kind} \"{from}\""), &format!("{kind} \"{to}\""))
}

/// The text after one random edit; unchanged, if that edit cannot be made.
pub(super) fn edited(text: &str, chance: &mut fastrand::Rng) -> String {
    let mut resources = blocks(text);
    resources.retain(is_resource);
    let Some(block) = chance.choice(&resources).cloned() else { return text.to_owned() };
    resources.retain(|other| other.kind == block.kind && other.name != block.name);
    let other = chance.choice(&resources);
    let name = format!("n{}", chance.u16(..));
    let of = (block.kind.as_str(), block.name.as_str());
    let edited = match (chance.u8(0..16), other) {
        (0 | 1, _) => Some(without(text, &block)),
        (2, _) => Some(renamed(text, of, &name)),
        (3, Some(other)) => {
            let text = renamed(text, of, &name);
            let text = renamed(&text, (of.0, &other.name), of.1);
            Some(renamed(&text, (of.0, &name), &other.name))
        }
        (4, _) => {
            let head = (format!("\"{}\" {{", block.name), format!("\"{name}\" {{"));
            Some(format!("{text}\n{}", text[block.text].replacen(&head.0, &head.1, 1)))
        }
        (5..=8, Some(other)) => {
            let address = block.address();
            let place = chance.choice(mentions(text, &address));
            place.map(|place| replaced(text, &[place], (&address, &other.address())))
        }
        (9 | 10, _) => without_a_line(text, &block, chance),
        _ => another_word(text, chance),
    };
    edited.unwrap_or_else(|| text.to_owned())
}

/// The text without a block and everything that mentions it.
fn without(text: &str, block: &Block) -> String {
    let mut left = text.to_owned();
    let mut gone = vec![block.address()];
    left.replace_range(block.text.clone(), "");
    loop {
        let mentions_one = |user: &Block| {
            gone.iter().any(|gone| !mentions(&left[user.text.clone()], gone).is_empty())
        };
        let Some(user) = blocks(&left).into_iter().find(mentions_one) else { return left };
        gone.push(user.address());
        left.replace_range(user.text, "");
    }
}

/// The text without one of the lines in a block.
fn without_a_line(text: &str, block: &Block, chance: &mut fastrand::Rng) -> Option<String> {
    let inside = text[block.text.clone()].lines().count().checked_sub(2)?;
    let line = chance.choice(0..inside)?;
    let lines = text[block.text.clone()].split_inclusive('\n').enumerate();
    let left: String = lines.filter(|(at, _)| *at != line + 1).map(|(_, line)| line).collect();
    let mut text = text.to_owned();
    text.replace_range(block.text.clone(), &left);
    Some(text)
}

/// The text with a word replaced, once or wherever it occurs.
fn another_word(text: &str, chance: &mut fastrand::Rng) -> Option<String> {
    let words = *chance.choice(WORDS)?;
    let places: Vec<usize> = text.match_indices(words.0).map(|(at, _)| at).collect();
    let one = chance.choice(&places).copied();
    let places = if chance.bool() { places } else { one.into_iter().collect() };
    Some(replaced(text, &places, words))
}

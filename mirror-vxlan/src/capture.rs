//! Capture files: pcap and pcapng, read and written.
//!
//! The writers are plain encoders into a `Vec<u8>`; what happens to the bytes is up to the caller.

#![forbid(unsafe_code)]

pub mod compress;
pub mod pcap;
pub mod pcapng;
pub mod read;

use std::path::Path;

use self::compress::Compression;

/// A capture file format that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// The classic format with times in nanoseconds; it does not tell sessions apart.
    Pcap,
    /// The block format: each session is an interface with a name, and drops are recorded.
    Pcapng,
}

impl Format {
    /// Returns the format that the extension of a path names; an extension of compression may follow it.
    pub fn of_path(path: &Path) -> Option<Self> {
        let path = match Compression::of_path(path) {
            Compression::None => path,
            Compression::Gzip | Compression::Zstandard => Path::new(path.file_stem()?),
        };
        match path.extension()?.to_str()? {
            "pcap" | "cap" | "dmp" => Some(Self::Pcap),
            "pcapng" | "ntar" => Some(Self::Pcapng),
            _ => None,
        }
    }
}

/// The link type of Ethernet, in both formats.
const LINKTYPE_ETHERNET: u16 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_tells_format_and_compression() {
        let cases = [
            ("a.pcap", Some(Format::Pcap), Compression::None),
            ("a.b.pcapng", Some(Format::Pcapng), Compression::None),
            ("/a/b.pcap.gz", Some(Format::Pcap), Compression::Gzip),
            ("b.pcapng.zst", Some(Format::Pcapng), Compression::Zstandard),
            ("b.zst", None, Compression::Zstandard),
            ("pcap", None, Compression::None),
            (".gz", None, Compression::None),
            ("", None, Compression::None),
        ];
        for (path, format, compression) in cases {
            let path = Path::new(path);
            assert_eq!(Format::of_path(path), format, "{path:?}");
            assert_eq!(Compression::of_path(path), compression, "{path:?}");
        }
    }
}

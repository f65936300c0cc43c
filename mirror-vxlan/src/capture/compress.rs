//! Compression of whole capture files: gzip and zstd.

#![forbid(unsafe_code)]

use std::fmt;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

/// How a file is compressed as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// With gzip (RFC 1952), which every program can read.
    Gzip,
    /// With zstd (RFC 8878): smaller files in a fraction of the time.
    Zstandard,
}

impl Compression {
    /// All variants.
    pub const ALL: [Self; 3] = [Self::None, Self::Gzip, Self::Zstandard];

    /// Returns the extension of a file compressed this way, without the dot.
    pub const fn extension(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("gz"),
            Self::Zstandard => Some("zst"),
        }
    }

    /// Returns the compression that the extension of a path names.
    pub fn of_path(path: &Path) -> Self {
        let extension = path.extension().and_then(|extension| extension.to_str());
        Self::ALL
            .into_iter()
            .find(|compression| extension.is_some() && compression.extension() == extension)
            .unwrap_or_default()
    }

    /// Returns the compression of a file that begins with `magic`.
    fn of_magic(magic: &[u8]) -> Self {
        match *magic {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or a skippable frame, which some tools put before the first one.
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Self::Zstandard,
            _ => Self::None,
        }
    }
}

/// Returns the stream, decompressed if its first bytes show that it is compressed.
pub(super) fn decompressed(
    mut stream: impl Read + Send + 'static,
) -> io::Result<Box<dyn Read + Send>> {
    let mut magic = Vec::with_capacity(4);
    stream.by_ref().take(4).read_to_end(&mut magic)?;
    let compression = Compression::of_magic(&magic);
    let whole = Cursor::new(magic).chain(stream);
    Ok(match compression {
        Compression::None => Box::new(whole),
        Compression::Gzip => Box::new(MultiGzDecoder::new(whole)),
        Compression::Zstandard => Box::new(zstd::Decoder::new(whole)?),
    })
}

/// A writer that compresses what is written to it and passes it on.
pub struct Compressor<W: Write>(Encoder<W>);

enum Encoder<W: Write> {
    None(W),
    Gzip(GzEncoder<W>),
    Zstandard(zstd::Encoder<'static, W>),
}

impl<W: Write> Compressor<W> {
    /// Begins a compressed file, at the default level of the format's own tool.
    ///
    /// # Errors
    ///
    /// There is no memory for the compression.
    pub fn new(compression: Compression, writer: W) -> io::Result<Self> {
        Ok(Self(match compression {
            Compression::None => Encoder::None(writer),
            Compression::Gzip => {
                Encoder::Gzip(GzEncoder::new(writer, flate2::Compression::default()))
            }
            Compression::Zstandard => {
                let mut encoder = zstd::Encoder::new(writer, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                encoder.include_checksum(true)?;
                Encoder::Zstandard(encoder)
            }
        }))
    }

    /// Ends the compressed file and returns the writer underneath.
    ///
    /// # Errors
    ///
    /// The rest cannot be written.
    pub fn finish(self) -> io::Result<W> {
        match self.0 {
            Encoder::None(writer) => Ok(writer),
            Encoder::Gzip(encoder) => encoder.finish(),
            Encoder::Zstandard(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Encoder::None(writer) => writer.write(bytes),
            Encoder::Gzip(encoder) => encoder.write(bytes),
            Encoder::Zstandard(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Encoder::None(writer) => writer.flush(),
            Encoder::Gzip(encoder) => encoder.flush(),
            Encoder::Zstandard(encoder) => encoder.flush(),
        }
    }
}

impl<W: Write> fmt::Debug for Compressor<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Compressor")
            .field(&match self.0 {
                Encoder::None(_) => Compression::None,
                Encoder::Gzip(_) => Compression::Gzip,
                Encoder::Zstandard(_) => Compression::Zstandard,
            })
            .finish_non_exhaustive()
    }
}

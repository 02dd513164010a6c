//! GGUF files: checked before the engine sees them, rewritten once for this CPU.
//!
//! mistral.rs panics or reads past the end on damaged files. candle has AVX2 kernels for Q4_0,
//! Q8_0 and the K formats, none for Q4_1, Q5_0 and Q5_1: those run scalar code and take twice the
//! CPU time per token of the same weights in Q8_0.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use candle_core::Device;
use candle_core::quantized::gguf_file::{self, Content, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use zeroerr_core::ports::ModelError;

use crate::store::Hasher;

/// What the engine needs to know of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GgufInfo {
    /// Architecture, e.g. `llama`.
    pub architecture: String,
    /// Longest sequence the model was made for, in tokens.
    pub context: usize,
    /// Number of tokens it knows.
    pub vocabulary: usize,
    /// Tokens that end an answer: every control token (end of text, end of turn, start of turn).
    pub ends: Vec<u32>,
    /// Bytes of key and value cache per token, at 4 bytes a number.
    pub cache_bytes_per_token: usize,
    /// Whether some weights are in a format without a fast kernel on this CPU.
    pub slow_format: bool,
}

/// Reads the header and checks that every tensor lies in the file.
///
/// # Errors
/// One sentence with path and remedy.
pub fn inspect(path: &Path) -> Result<GgufInfo, ModelError> {
    let (content, _, size) = open(path)?;
    check_extents(path, &content, size)?;
    describe(path, &content)
}

fn damaged(path: &Path, detail: &str) -> ModelError {
    ModelError::Unavailable(format!(
        "{} is no usable GGUF model: {detail}; fetch it again (zeroerr models pull), or remove it",
        path.display()
    ))
}

fn open(path: &Path) -> Result<(Content, BufReader<File>, u64), ModelError> {
    let file =
        File::open(path).map_err(|e| ModelError::Unavailable(format!("cannot open model {}: {e}", path.display())))?;
    let size = file.metadata().map_or(0, |m| m.len());
    let mut reader = BufReader::new(file);
    guard_lengths(path, &mut reader, size)?;
    let content = Content::read(&mut reader).map_err(|e| damaged(path, first_line(&e.to_string())))?;
    Ok((content, reader, size))
}

/// Walks the header before candle does: candle allocates whatever a damaged length asks for.
fn guard_lengths(path: &Path, reader: &mut BufReader<File>, size: u64) -> Result<(), ModelError> {
    let mut walk = HeaderWalk { reader, left: size };
    walk.header().map_err(|detail| damaged(path, detail))?;
    reader.seek(SeekFrom::Start(0)).map_err(|e| damaged(path, &e.to_string()))?;
    Ok(())
}

/// A reader that refuses every length that the rest of the file cannot hold.
struct HeaderWalk<'a> {
    reader: &'a mut BufReader<File>,
    left: u64,
}

const CUT_OFF: &str = "its header is cut off or damaged";

impl HeaderWalk<'_> {
    fn header(&mut self) -> Result<(), &'static str> {
        if &self.bytes::<4>()? != b"GGUF" {
            return Err("it does not start with `GGUF`");
        }
        if !(2..=3).contains(&self.u32()?) {
            return Err("its GGUF version is not 2 or 3");
        }
        let (tensors, entries) = (self.u64()?, self.u64()?);
        for _ in 0..entries {
            self.text()?;
            let kind = self.u32()?;
            self.value(kind)?;
        }
        for _ in 0..tensors {
            self.text()?;
            let dimensions = u64::from(self.u32()?);
            self.skip(dimensions.saturating_mul(8).saturating_add(12))?;
        }
        Ok(())
    }

    fn value(&mut self, kind: u32) -> Result<(), &'static str> {
        match kind {
            8 => self.text(),
            9 => {
                let (kind, count) = (self.u32()?, self.u64()?);
                match scalar_size(kind) {
                    Some(bytes) => self.skip(count.saturating_mul(bytes)),
                    None if kind == 8 => (0..count).try_for_each(|_| self.text()),
                    None => Err(CUT_OFF),
                }
            }
            _ => self.skip(scalar_size(kind).ok_or(CUT_OFF)?),
        }
    }

    fn text(&mut self) -> Result<(), &'static str> {
        let length = self.u64()?;
        self.skip(length)
    }

    fn skip(&mut self, bytes: u64) -> Result<(), &'static str> {
        self.left = self.left.checked_sub(bytes).ok_or(CUT_OFF)?;
        self.reader.seek_relative(i64::try_from(bytes).map_err(|_| CUT_OFF)?).map_err(|_| CUT_OFF)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        self.left = self.left.checked_sub(N as u64).ok_or(CUT_OFF)?;
        let mut out = [0; N];
        self.reader.read_exact(&mut out).map(|()| out).map_err(|_| CUT_OFF)
    }

    fn u32(&mut self) -> Result<u32, &'static str> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, &'static str> {
        self.bytes().map(u64::from_le_bytes)
    }
}

/// Bytes of a GGUF value that is neither text nor an array.
fn scalar_size(kind: u32) -> Option<u64> {
    Some(match kind {
        0 | 1 | 7 => 1,
        2 | 3 => 2,
        4..=6 => 4,
        10..=12 => 8,
        _ => return None,
    })
}

fn check_extents(path: &Path, content: &Content, size: u64) -> Result<(), ModelError> {
    if content.tensor_infos.is_empty() {
        return Err(damaged(path, "it holds no weights"));
    }
    for (name, info) in &content.tensor_infos {
        let elements: usize = info.shape.dims().iter().try_fold(1usize, |n, d| n.checked_mul(*d)).unwrap_or(usize::MAX);
        let bytes = (elements / info.ggml_dtype.block_size()).saturating_mul(info.ggml_dtype.type_size()) as u64;
        let end = content.tensor_data_offset.saturating_add(info.offset).saturating_add(bytes);
        if end > size {
            return Err(damaged(
                path,
                &format!("weights `{name}` end at byte {end}, the file at {size}: it is cut off"),
            ));
        }
    }
    Ok(())
}

fn describe(path: &Path, content: &Content) -> Result<GgufInfo, ModelError> {
    let text = |key: &str| content.metadata.get(key).and_then(|v| v.to_string().ok().cloned());
    let architecture = text("general.architecture").ok_or_else(|| damaged(path, "it names no architecture"))?;
    let number = |key: &str| content.metadata.get(&format!("{architecture}.{key}")).and_then(as_usize);
    let need = |key: &str| number(key).ok_or_else(|| damaged(path, &format!("it lacks `{architecture}.{key}`")));
    let layers = need("block_count")?;
    let heads = need("attention.head_count")?.max(1);
    let kv_heads = number("attention.head_count_kv").unwrap_or(heads);
    let head_size = number("attention.key_length").unwrap_or(need("embedding_length")? / heads);
    let tokens = content.metadata.get("tokenizer.ggml.tokens").and_then(|v| v.to_vec().ok()).map_or(0, Vec::len);
    if tokens == 0 {
        return Err(damaged(path, "it holds no tokenizer"));
    }
    Ok(GgufInfo {
        context: number("context_length").unwrap_or(4096),
        vocabulary: tokens,
        ends: end_tokens(content),
        cache_bytes_per_token: layers * kv_heads * head_size * 2 * 4,
        slow_format: content.tensor_infos.values().any(|t| faster(t.ggml_dtype).is_some()),
        architecture,
    })
}

/// A whole number of any width. By its variant, not by trying one conversion after another: each
/// that fails captures a backtrace where `RUST_BACKTRACE` asks for one, and there is a value per token.
fn as_usize(value: &Value) -> Option<usize> {
    match *value {
        Value::U8(n) => Some(n.into()),
        Value::U16(n) => Some(n.into()),
        Value::U32(n) => usize::try_from(n).ok(),
        Value::U64(n) => usize::try_from(n).ok(),
        Value::I8(n) => usize::try_from(n).ok(),
        Value::I16(n) => usize::try_from(n).ok(),
        Value::I32(n) => usize::try_from(n).ok(),
        Value::I64(n) => usize::try_from(n).ok(),
        _ => None,
    }
}

/// Control tokens have type 3 in GGUF.
fn end_tokens(content: &Content) -> Vec<u32> {
    let named =
        ["eos", "eot", "eom"].iter().filter_map(|k| content.metadata.get(&format!("tokenizer.ggml.{k}_token_id")));
    let mut ends: Vec<u32> = named.filter_map(as_usize).filter_map(|n| u32::try_from(n).ok()).collect();
    if let Some(Ok(kinds)) = content.metadata.get("tokenizer.ggml.token_type").map(Value::to_vec) {
        ends.extend((0u32..).zip(kinds).filter(|(_, kind)| as_usize(kind) == Some(3)).map(|(id, _)| id));
    }
    ends.sort_unstable();
    ends.dedup();
    ends
}

/// The format that candle computes faster than `format` on this kind of CPU, at no loss of precision.
fn faster(format: GgmlDType) -> Option<GgmlDType> {
    let slow = matches!(format, GgmlDType::Q4_1 | GgmlDType::Q5_0 | GgmlDType::Q5_1);
    (slow && cfg!(any(target_arch = "x86_64", target_arch = "aarch64"))).then_some(GgmlDType::Q8_0)
}

const STAMP: &str = "zeroerr.source_stamp";

/// The file to load on this CPU: `source` itself, or its copy in fast formats at `copy`, made when
/// missing or made from another file. Takes a second or two per 100 MB the first time.
///
/// # Errors
/// A damaged source, or a folder that cannot be written.
pub fn optimised(source: &Path, copy: &Path) -> Result<PathBuf, ModelError> {
    if !inspect(source)?.slow_format {
        return Ok(source.to_path_buf());
    }
    let stamp = stamp_of(source)?;
    if is_copy_of(copy, &stamp) {
        return Ok(copy.to_path_buf());
    }
    rewrite(source, copy, &stamp)?;
    Ok(copy.to_path_buf())
}

fn is_copy_of(copy: &Path, stamp: &str) -> bool {
    let Ok((content, _, size)) = open(copy) else { return false };
    let same = content.metadata.get(STAMP).and_then(|v| v.to_string().ok()).is_some_and(|s| s == stamp);
    same && check_extents(copy, &content, size).is_ok()
}

fn rewrite(source: &Path, copy: &Path, stamp: &str) -> Result<(), ModelError> {
    let fail = |e: &dyn std::fmt::Display| {
        ModelError::Unavailable(format!("cannot rewrite {} for this CPU: {e}", source.display()))
    };
    let (content, mut reader, _) = open(source)?;
    let mut names: Vec<&String> = content.tensor_infos.keys().collect();
    names.sort();
    let mut tensors = Vec::with_capacity(names.len());
    for name in names {
        let tensor = content.tensor(&mut reader, name, &Device::Cpu).map_err(|e| fail(&e))?;
        let tensor = match faster(tensor.dtype()) {
            Some(format) => {
                tensor.dequantize(&Device::Cpu).and_then(|t| QTensor::quantize(&t, format)).map_err(|e| fail(&e))?
            }
            None => tensor,
        };
        tensors.push((name.as_str(), tensor));
    }
    let stamp = Value::String(stamp.to_owned());
    let mut metadata: Vec<(&str, &Value)> = content.metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
    metadata.push((STAMP, &stamp));
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(n, t)| (*n, t)).collect();
    let folder = copy.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|e| fail(&e))?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(|e| fail(&e))?;
    let mut writer = BufWriter::new(temporary.as_file_mut());
    gguf_file::write(&mut writer, &metadata, &tensors).map_err(|e| fail(&e))?;
    writer.flush().map_err(|e| fail(&e))?;
    drop(writer);
    temporary.as_file().sync_all().map_err(|e| fail(&e))?;
    temporary.persist(copy).map_err(|e| fail(&e.error))?;
    Ok(())
}

/// Tells one source from another without reading it all: size, time of change, both ends.
fn stamp_of(source: &Path) -> Result<String, ModelError> {
    let fail = |e: std::io::Error| ModelError::Unavailable(format!("cannot read model {}: {e}", source.display()));
    let mut file = File::open(source).map_err(fail)?;
    let meta = file.metadata().map_err(fail)?;
    let changed = meta.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok()).map_or(0, |d| d.as_nanos());
    let mut hasher = Hasher::default();
    hasher.add(format!("zeroerr rewrite 1;{};{changed};", meta.len()).as_bytes());
    let end = 1 << 20;
    let mut buffer = Vec::new();
    (&mut file).take(end).read_to_end(&mut buffer).map_err(fail)?;
    hasher.add(&buffer);
    buffer.clear();
    file.seek(SeekFrom::Start(meta.len().saturating_sub(end))).map_err(fail)?;
    file.read_to_end(&mut buffer).map_err(fail)?;
    hasher.add(&buffer);
    Ok(hasher.hex())
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Tensor};
    use proptest::prelude::*;

    /// A tiny but whole model file with one Q4_1 matrix.
    fn tiny(path: &Path) -> Vec<u8> {
        let matrix = Tensor::arange(0f32, 4096.0, &Device::Cpu).unwrap().reshape((64, 64)).unwrap();
        let slow = QTensor::quantize(&matrix, GgmlDType::Q4_1).unwrap();
        let text = |s: &str| Value::String(s.into());
        let (arch, one, sixty) = (text("llama"), Value::U32(1), Value::U32(64));
        let tokens = Value::Array(vec![text("<end>"), text("a"), text("<turn>")]);
        let kinds = Value::Array(vec![Value::I32(3), Value::I32(1), Value::I32(3)]);
        let metadata = [
            ("general.architecture", &arch),
            ("llama.block_count", &one),
            ("llama.attention.head_count", &one),
            ("llama.embedding_length", &sixty),
            ("tokenizer.ggml.tokens", &tokens),
            ("tokenizer.ggml.token_type", &kinds),
        ];
        let mut file = File::create(path).unwrap();
        gguf_file::write(&mut file, &metadata, &[("output.weight", &slow)]).unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    fn a_whole_file_is_described() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.gguf");
        tiny(&path);
        let info = inspect(&path).unwrap();
        assert_eq!((info.vocabulary, info.ends.as_slice(), info.slow_format), (3, [0, 2].as_slice(), true));
        assert_eq!(info.cache_bytes_per_token, 64 * 2 * 4);
    }

    #[test]
    fn a_cut_off_file_is_refused_with_path_and_remedy_wherever_it_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.gguf");
        let whole = tiny(&path);
        for keep in [0, 3, 20, 40, 200, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..keep]).unwrap();
            let message = inspect(&path).unwrap_err().to_string();
            assert!(message.contains("m.gguf") && message.contains("zeroerr models pull"), "{keep}: {message}");
        }
    }

    #[test]
    fn the_rewritten_copy_says_the_same_in_a_fast_format_and_follows_its_source() {
        let dir = tempfile::tempdir().unwrap();
        let (path, copy) = (dir.path().join("m.gguf"), dir.path().join("work/m..fast.gguf"));
        tiny(&path);
        assert_eq!(optimised(&path, &copy).unwrap(), copy);
        let info = inspect(&copy).unwrap();
        assert!(!info.slow_format);
        assert_eq!(info.ends, [0, 2]);
        let read = |p: &Path| {
            let (content, mut reader, _) = open(p).unwrap();
            let tensor = content.tensor(&mut reader, "output.weight", &Device::Cpu).unwrap();
            tensor
                .dequantize(&Device::Cpu)
                .unwrap()
                .to_dtype(DType::F32)
                .unwrap()
                .flatten_all()
                .unwrap()
                .to_vec1::<f32>()
                .unwrap()
        };
        let worst =
            read(&path).iter().zip(read(&copy)).map(|(a, b)| (a - b).abs() / (a.abs() + 100.0)).fold(0f32, f32::max);
        assert!(worst < 0.01, "{worst}");

        let made = std::fs::metadata(&copy).unwrap().modified().unwrap();
        optimised(&path, &copy).unwrap();
        assert_eq!(std::fs::metadata(&copy).unwrap().modified().unwrap(), made, "made once");
        std::fs::write(&copy, "damaged").unwrap();
        optimised(&path, &copy).unwrap();
        assert!(inspect(&copy).is_ok(), "a damaged copy is made again");
        std::thread::sleep(std::time::Duration::from_millis(20));
        let before = std::fs::read(&copy).unwrap();
        tiny(&path);
        optimised(&path, &copy).unwrap();
        assert_ne!(std::fs::read(&copy).unwrap(), before, "a new source is noticed");
        assert_eq!(optimised(&copy, &dir.path().join("x")).unwrap(), copy, "nothing to do for fast formats");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn flipped_bytes_never_panic(at in 0usize..600, value: u8) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("m.gguf");
            let mut bytes = tiny(&path);
            let at = at % bytes.len();
            bytes[at] = value;
            std::fs::write(&path, &bytes).unwrap();
            let _ = inspect(&path);
        }
    }
}

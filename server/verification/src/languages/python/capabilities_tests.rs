//! What the table of capabilities says of names.

use super::*;

#[test]
fn the_longest_entry_wins_and_neighbours_are_left_alone() {
    assert_eq!(of_name("urllib.request.urlopen"), Some(Network));
    assert_eq!(of_name("urllib.parse.quote"), None);
    assert_eq!(of_name("urllib3.PoolManager"), Some(Network));
    assert_eq!(of_name("opener"), None);
    assert_eq!(of_name("re.compile"), None);
    assert_eq!(of_name("socketlike"), None);
}

/// The modules of Python 3.10 to 3.14 (`sys.stdlib_module_names`) that nothing is said about: they compute,
/// or what they reach has a name of its own in the tables.
const HARMLESS: &str = "__future__ _abc _android_support _apple_support _ast _ast_unparse _asyncio _bisect _blake2 _bz2 _codecs _codecs_cn _codecs_hk \
    _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _collections _collections_abc _colorize _compat_pickle \
    _compression _contextvars _crypt _csv _datetime _decimal _elementtree _functools _hashlib _heapq _hmac _io _ios_support \
    _json _locale _lzma _markupbase _md5 _multibytecodec _opcode_metadata _operator _py_abc _py_warnings _pydatetime _pydecimal _pylong \
    _queue _random _sha1 _sha2 _sha256 _sha3 _sha512 _sre _ssl _stat _statistics _string _strptime _struct \
    _suggestions _symtable _sysconfig _thread _threading_local _tokenize _types _typing _uuid _warnings \
    _weakref _weakrefset _zoneinfo _zstd abc argparse array ast asyncio audioop base64 binascii bisect bz2 \
    calendar chunk cmath codecs collections colorsys compression concurrent configparser contextlib \
    contextvars copy crypt csv dataclasses datetime decimal difflib dis email encodings enum errno fnmatch \
    fractions functools genericpath getopt graphlib gzip hashlib heapq hmac html http inspect io ipaddress \
    itertools json keyword locale logging lzma math mimetypes nt ntpath nturl2path numbers opcode operator \
    optparse os pathlib pickletools plistlib posix posixpath pprint pydoc_data pyexpat queue quopri random re \
    reprlib sched secrets select selectors shlex sre_compile sre_constants sre_parse stat statistics string \
    stringprep struct symtable sys textwrap this threading time token tokenize tomllib traceback types typing \
    unicodedata uuid warnings wave weakref xdrlib xml zlib zoneinfo";

/// `print(*sys.stdlib_module_names)` of the Python that is installed says which modules there are.
#[test]
fn every_module_of_the_standard_library_was_decided() {
    let script = "import sys; print(*sys.stdlib_module_names)";
    let answer = std::process::Command::new("python3").args(["-Ic", script]).output().unwrap();
    let modules = String::from_utf8(answer.stdout).unwrap();
    assert!(modules.split_whitespace().count() > 200, "{modules}");
    let harmless: HashSet<&str> = HARMLESS.split_whitespace().collect();
    let undecided: Vec<&str> =
        modules.split_whitespace().filter(|m| !harmless.contains(m) && entry(m).is_none()).collect();
    assert!(undecided.is_empty(), "undecided: {undecided:?}");
    let both: Vec<&&str> = harmless.iter().filter(|m| of_name(m).is_some()).collect();
    assert!(both.is_empty(), "called harmless and in the table: {both:?}");
}

#[test]
fn no_name_is_in_the_tables_twice() {
    let mut names: Vec<&str> = TABLE.iter().map(|(name, _)| *name).collect();
    names.extend(STANDARD.iter().flat_map(|(_, names)| names.split_whitespace()));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn parts_of_a_module_are_told_apart() {
    for (name, capability) in [
        ("logging.handlers.SocketHandler", Some(Network)),
        ("logging.handlers.RotatingFileHandler", Some(Files)),
        ("logging.handlers.QueueHandler", None),
        ("logging.getLogger", None),
        ("timeit.timeit", Some(Evaluation)),
        ("timeit.default_timer", None),
        ("gzip.open", Some(Files)),
        ("gzip.compress", None),
        ("posix.system", Some(Process)),
        ("ntpath.join", None),
        ("posixpath.exists", Some(Files)),
        ("xml.etree.ElementTree.fromstring", None),
        ("_io.open", Some(Files)),
    ] {
        assert_eq!(of_name(name), capability, "{name}");
    }
}

#[test]
fn os_is_guilty_until_listed_as_harmless() {
    assert_eq!(of_name("os"), None);
    assert_eq!(of_name("os.path.join"), None);
    assert_eq!(of_name("os.path.exists"), Some(Files));
    assert_eq!(of_name("os.sep"), None);
    assert_eq!(of_name("os.execvp"), Some(Process));
    assert_eq!(of_name("os.environ.get"), Some(Environment));
    assert_eq!(of_name("os.something_of_tomorrow"), Some(Environment));
}

//! What the schema of an event lets in, its type can hold: for each type that a field can have.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::*;
use std::ops::{Bound, Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::*;
use std::sync::{Arc, LazyLock, Mutex, RwLock};
use std::time::SystemTime;

use wf_guest::RawEvent;
use wf_guest::prelude::*;
use wf_guest::schemars::{self, JsonSchema};
use wf_guest::serde::{self, Deserialize, Serialize};
use wf_guest::serde_json::{Map, Number};

/// Numbers around the ends of every range, in each form that JSON has for them.
fn numbers() -> Vec<String> {
    let mut ends: Vec<i128> = (-2..=3).collect();
    for bits in [7, 8, 15, 16, 31, 32, 53, 63, 64, 100] {
        for near in -2..=2 {
            ends.extend([(1_i128 << bits) + near, near - (1_i128 << bits)]);
        }
    }
    ends.extend([999_999_999, 1_000_000_000, i128::MAX, i128::MIN]);
    let mut texts: Vec<String> =
        ends.iter().flat_map(|end| [format!("{end}"), format!("{end}.0"), format!("{end}E0"), format!("{end}e1")]).collect();
    let others = [
        "340282366920938463463374607431768211455",
        "340282366920938463463374607431768211456",
        "-0",
        "-0.0",
        "0e9",
        "10e-1",
        "1e2",
        "0.5",
        "-0.5",
        "2.5e-1",
        "1.00000000000000000001",
        "254.99999999999999999999",
        "9007199254740993.5",
        "1e20",
        "1e-400",
        "-1e-400",
        "1e38",
        "2e38",
        "-2e38",
        "3.4028234663852886e38",
        "3.5e38",
        "-3.5e38",
        "1e300",
        "-1.7976931348623157e308",
    ];
    texts.extend(others.map(String::from));
    texts
}

fn words() -> Vec<String> {
    let words = [
        "",
        "a",
        "ab",
        "é",
        "😀",
        "e\u{301}",
        "A",
        "B",
        "Tag",
        "Ok",
        "Err",
        "Unbounded",
        "Left",
        "Right",
        "left",
        "1",
        "-1",
        "0.0.0.0",
        "255.255.255.255",
        "256.0.0.1",
        "01.2.3.4",
        "1.2.3",
        "::",
        "::1",
        "1::",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3::5:6:7:8",
        ":::",
        "12345::",
        "fe80::g",
        "::ffff:1.2.3.4",
        "1:2:3:4:5:6:1.2.3.4",
        "1.2.3.4:0",
        "1.2.3.4:65536",
        "[::1]:80",
        "[::1%1]:080",
        "zero\0within",
        "/tmp/a",
        "line\nbreak",
    ];
    words.into_iter().map(|word| Value::from(word).to_string()).collect()
}

/// Lists and objects of the forms that the types have, around other values.
fn around(values: &[String]) -> Vec<String> {
    let keys = [
        "a",
        "1",
        "-1",
        "0",
        "01",
        "+1",
        "1.0",
        "300",
        "-128",
        "-129",
        "127",
        "255",
        "256",
        "65536",
        "4294967296",
        "-9223372036854775808",
        "9223372036854775808",
        "18446744073709551616",
        "99999999999999999999",
        "340282366920938463463374607431768211456",
        "true",
        "é",
        "1.2.3.4",
        "::1",
        "1.2.3.4:80",
        "A",
        "B",
        "Ok",
        "Err",
        "Included",
        "Excluded",
        "Left",
        "Right",
        "next",
    ];
    let mut texts = vec!["[]".to_owned(), "{}".to_owned()];
    for value in values {
        texts.extend([
            format!("[{value}]"),
            format!("[{value},{value}]"),
            format!("[{value},1]"),
            format!("[1,{value}]"),
            format!("[{value},{value},{value}]"),
        ]);
        texts.extend(keys.map(|key| format!("{{\"{key}\":{value}}}")));
        let pairs = [
            ("start", "end"),
            ("secs", "nanos"),
            ("secs_since_epoch", "nanos_since_epoch"),
            ("tag", "number"),
            ("tag", "content"),
            ("Ok", "more"),
            ("Included", "more"),
            ("number", "more"),
        ];
        for (one, other) in pairs {
            for word in ["1", "\"Left\"", "\"Right\"", value] {
                texts.extend([format!("{{\"{one}\":{word},\"{other}\":{value}}}"), format!("{{\"{one}\":{value},\"{other}\":{word}}}")]);
            }
        }
    }
    texts
}

fn every_value() -> Vec<String> {
    let mut flat = numbers();
    flat.extend(words());
    flat.extend(["null", "true", "false", "[]", "{}"].map(String::from));
    let few: Vec<String> = flat.iter().step_by(7).cloned().collect();
    let nested = around(&few);
    let nested_twice = around(&nested.iter().step_by(97).cloned().collect::<Vec<_>>());
    let mut values = around(&flat);
    values.extend(flat);
    values.extend(nested_twice);
    values
}

static EVERY: LazyLock<Vec<String>> = LazyLock::new(every_value);

/// Every value that the schema lets in is read; these are let in, and these are not.
#[track_caller]
fn check<E: Event>(takes: &[&str], refuses: &[&str]) {
    let declaration = E::declaration().expect("it is no built-in type");
    let schema = jsonschema::validator_for(&declaration["schema"]).expect("a sound schema");
    let valid = |payload: &str| wf_guest::serde_json::from_str(payload).is_ok_and(|value| schema.is_valid(&value));
    let payload = |value: &str| format!("{{\"value\":{value}}}");
    let read = |payload: String| {
        RawEvent { name: E::NAME.to_owned(), payload }.parse::<E>().map(drop).map_err(|failure| failure.message().to_owned())
    };
    for value in takes {
        assert!(valid(&payload(value)), "the schema refuses {value}: {}", declaration["schema"]);
    }
    for value in refuses {
        assert!(!valid(&payload(value)), "the schema takes {value}: {}", declaration["schema"]);
    }
    let all = EVERY.iter().map(|value| payload(value)).chain(takes.iter().map(|value| payload(value))).chain(["{}".to_owned()]);
    let wrong: Vec<_> = all.filter(|it| valid(it)).filter_map(|it| Some((it.clone(), read(it).err()?))).collect();
    assert!(wrong.is_empty(), "the schema takes what the type cannot hold: {wrong:?}\n{}", declaration["schema"]);
}

macro_rules! types {
    ($($name:ident: $type:ty, takes $takes:expr, refuses $refuses:expr;)*) => {
        $(
            #[test]
            fn $name() {
                #[derive(Event)]
                struct Holder {
                    value: $type,
                }
                check::<Holder>(&$takes, &$refuses);
            }
        )*
    };
}

types! {
    a_bool: bool, takes ["true"], refuses ["0", "null"];
    a_char: char, takes ["\"a\"", "\"😀\""], refuses ["\"\"", "\"ab\"", "1"];
    a_string: String, takes ["\"\"", "\"abc\""], refuses ["1", "null"];
    a_boxed_str: Box<str>, takes ["\"a\""], refuses ["1"];
    a_cow: Cow<'static, str>, takes ["\"a\""], refuses ["1"];
    a_path: PathBuf, takes ["\"/tmp\""], refuses ["1"];
    a_u8: u8, takes ["0", "255", "255.0", "1e2"], refuses ["-1", "256", "256.0", "1e3", "0.5"];
    a_u16: u16, takes ["65535"], refuses ["-1", "65536"];
    a_u32: u32, takes ["4294967295", "1.0"], refuses ["-1", "4294967296", "4294967296.0"];
    a_u64: u64, takes ["18446744073709551615", "9007199254740993.0"], refuses ["-1", "18446744073709551616", "1e20"];
    a_u128: u128, takes ["18446744073709551616", "1e38"], refuses ["-1", "340282366920938463463374607431768211456"];
    a_usize: usize, takes ["4294967295"], refuses ["-1", "18446744073709551616"];
    an_i8: i8, takes ["-128", "127"], refuses ["-129", "128"];
    an_i16: i16, takes ["-32768", "32767"], refuses ["-32769", "32768"];
    an_i32: i32, takes ["-2147483648", "2147483647.0"], refuses ["-2147483649", "2147483648"];
    an_i64: i64, takes ["-9223372036854775807", "9223372036854775807"], refuses ["-9223372036854775809", "9223372036854775808"];
    an_i128: i128, takes ["-1e38", "1e38"], refuses ["-2e38", "2e38"];
    an_isize: isize, takes ["-1"], refuses ["9223372036854775808"];
    a_nonzero_u8: NonZeroU8, takes ["1", "255"], refuses ["0", "0.0", "-0.0", "256"];
    a_nonzero_u64: NonZeroU64, takes ["1"], refuses ["0", "18446744073709551616"];
    a_nonzero_i32: NonZeroI32, takes ["-1", "1"], refuses ["0", "-0", "0.0", "2147483648"];
    an_f32: f32, takes ["0.5", "3e38", "1"], refuses ["1e39", "-1e300", "\"1\""];
    an_f64: f64, takes ["0.5", "1e300", "12345678901234567890123"], refuses ["\"NaN\"", "null"];
    a_wrapping: Wrapping<u8>, takes ["255"], refuses ["256"];
    a_nonzero_u16: NonZeroU16, takes ["65535.0"], refuses ["0", "65536"];
    a_nonzero_u32: NonZeroU32, takes ["1e2"], refuses ["0.0", "4294967296"];
    a_nonzero_u128: NonZeroU128, takes ["1e38"], refuses ["0", "-1"];
    a_nonzero_usize: NonZeroUsize, takes ["1"], refuses ["0", "18446744073709551616"];
    a_nonzero_i8: NonZeroI8, takes ["-128"], refuses ["0", "128"];
    a_nonzero_i16: NonZeroI16, takes ["-32768"], refuses ["0", "32768"];
    a_nonzero_i64: NonZeroI64, takes ["-1"], refuses ["0", "9223372036854775808"];
    a_nonzero_i128: NonZeroI128, takes ["-1e38"], refuses ["0", "2e38"];
    a_nonzero_isize: NonZeroIsize, takes ["-1"], refuses ["0", "9223372036854775808"];
    an_atomic_bool: AtomicBool, takes ["true"], refuses ["1"];
    an_atomic_u8: AtomicU8, takes ["255"], refuses ["256"];
    an_atomic_u16: AtomicU16, takes ["65535"], refuses ["65536"];
    an_atomic_u32: AtomicU32, takes ["1.0"], refuses ["4294967296"];
    an_atomic_u64: AtomicU64, takes ["1"], refuses ["18446744073709551616"];
    an_atomic_usize: AtomicUsize, takes ["1"], refuses ["-1"];
    an_atomic_i8: AtomicI8, takes ["-128"], refuses ["128"];
    an_atomic_i16: AtomicI16, takes ["-1"], refuses ["32768"];
    an_atomic_i32: AtomicI32, takes ["-1"], refuses ["2147483648"];
    an_atomic_i64: AtomicI64, takes ["-1"], refuses ["9223372036854775808"];
    an_atomic_isize: AtomicIsize, takes ["-1"], refuses ["9223372036854775808"];
    a_cell: Cell<u8>, takes ["255"], refuses ["256"];
    a_ref_cell: RefCell<Vec<u8>>, takes ["[255]"], refuses ["[256]"];
    a_mutex: Mutex<i8>, takes ["-128"], refuses ["128"];
    a_lock: RwLock<u16>, takes ["65535"], refuses ["65536"];
    a_reverse: Reverse<u8>, takes ["255"], refuses ["256"];
    an_rc: Rc<u8>, takes ["255"], refuses ["256"];
    an_arc: Arc<[Option<u8>]>, takes ["[255,null]"], refuses ["[256]"];
    an_arc_str: Arc<str>, takes ["\"a\""], refuses ["1"];
    a_phantom: PhantomData<u8>, takes ["null"], refuses ["1"];
    a_c_string: CString, takes ["\"a\"", "[1,255]", "[]"], refuses ["\"\\u0000\"", "[0]", "[256]"];
    a_boxed_c_str: Box<CStr>, takes ["\"a\""], refuses ["\"a\\u0000\""];
    a_boxed_path: Box<Path>, takes ["\"/tmp\""], refuses ["1"];
    a_boxed_list: Box<[u8]>, takes ["[255]"], refuses ["[256]"];
    a_cow_of_a_list: Cow<'static, [u8]>, takes ["[255]"], refuses ["[256]"];
    a_box: Box<u32>, takes ["1.0"], refuses ["4294967296"];
    an_option: Option<u8>, takes ["null", "255", "1.0"], refuses ["256", "-1"];
    an_option_twice: Option<Option<i8>>, takes ["null", "127"], refuses ["128"];
    an_option_of_a_list: Option<Vec<u32>>, takes ["null", "[1]"], refuses ["[-1]"];
    a_vec: Vec<u8>, takes ["[]", "[0,255.0]"], refuses ["[256]", "[null]"];
    a_vec_of_options: Vec<Option<i16>>, takes ["[null,1]"], refuses ["[32768]"];
    a_vec_of_vecs: Vec<Vec<u64>>, takes ["[[1]]"], refuses ["[[1e20]]"];
    a_vec_deque: VecDeque<u32>, takes ["[1]"], refuses ["[-1]"];
    a_linked_list: LinkedList<u32>, takes ["[1]"], refuses ["[-1]"];
    a_heap: BinaryHeap<u8>, takes ["[1,1]"], refuses ["[256]"];
    a_set: HashSet<u8>, takes ["[1,2]"], refuses ["[256]"];
    a_sorted_set: BTreeSet<i8>, takes ["[1,2]"], refuses ["[128]"];
    an_array: [u8; 2], takes ["[1,2]"], refuses ["[1]", "[1,2,3]", "[1,256]"];
    a_long_array: [u8; 32], takes ["[0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1]"], refuses ["[1]"];
    an_empty_array: [u8; 0], takes ["[]"], refuses ["[1]"];
    a_tuple: (u8, i8), takes ["[255,-128]"], refuses ["[255]", "[255,128]", "[1,1,1]"];
    a_tuple_of_one: (u16,), takes ["[65535.0]"], refuses ["[65536]", "65535"];
    a_long_tuple: (u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, i8), takes ["[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,-1]"], refuses ["[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,128]", "[1]"];
    a_tuple_in_a_list: Vec<(u8, Option<f32>)>, takes ["[[1,null]]"], refuses ["[[1,1e300]]", "[[1]]"];
    a_unit: (), takes ["null"], refuses ["{}", "[]"];
    a_map: HashMap<String, u8>, takes ["{}", "{\"a\":255.0}"], refuses ["{\"a\":256}"];
    a_sorted_map: BTreeMap<String, Vec<u32>>, takes ["{\"a\":[1]}"], refuses ["{\"a\":[-1]}"];
    a_map_of_options: HashMap<String, Option<i64>>, takes ["{\"a\":null}"], refuses ["{\"a\":1e20}"];
    a_map_with_unsigned_keys: HashMap<u64, u8>, takes ["{\"1\":1}"], refuses ["{\"-1\":1}", "{\"01\":1}", "{\"18446744073709551616\":1}"];
    a_map_with_small_keys: HashMap<u8, u8>, takes ["{\"0\":1,\"255\":1}"], refuses ["{\"256\":1}", "{\"-1\":1}", "{\"1.0\":1}"];
    a_map_with_small_signed_keys: BTreeMap<i8, u8>, takes ["{\"-128\":1,\"127\":1}"], refuses ["{\"128\":1}", "{\"-129\":1}"];
    a_map_with_keys_of_16_bits: BTreeMap<u16, BTreeMap<i16, u8>>, takes ["{\"65535\":{\"-32768\":1}}"], refuses ["{\"65536\":{}}", "{\"1\":{\"32768\":1}}"];
    a_map_with_keys_of_32_bits: BTreeMap<u32, BTreeMap<i32, u8>>, takes ["{\"4294967295\":{\"-2147483648\":1}}"], refuses ["{\"4294967296\":{}}", "{\"1\":{\"2147483648\":1}}"];
    a_map_with_keys_of_128_bits: BTreeMap<u128, BTreeMap<i128, u8>>, takes ["{\"340282366920938463463374607431768211455\":{\"-170141183460469231731687303715884105728\":1}}"], refuses ["{\"340282366920938463463374607431768211456\":{}}"];
    a_map_with_keys_of_pointers: BTreeMap<usize, BTreeMap<isize, u8>>, takes ["{\"1\":{\"-1\":1}}"], refuses ["{\"18446744073709551616\":{}}"];
    a_map_without_a_key_of_zero: HashMap<NonZeroU8, u8>, takes ["{\"1\":1}"], refuses ["{\"0\":1}", "{\"256\":1}"];
    a_signed_map_without_a_key_of_zero: HashMap<NonZeroI8, u8>, takes ["{\"-1\":1}"], refuses ["{\"0\":1}", "{\"128\":1}"];
    a_map_with_keys_of_truth: HashMap<bool, u8>, takes ["{\"true\":1}"], refuses ["{\"1\":1}"];
    a_map_with_keys_of_a_letter: HashMap<char, u8>, takes ["{\"é\":1}"], refuses ["{\"\":1}", "{\"ab\":1}"];
    a_map_with_keys_of_addresses: HashMap<IpAddr, u8>, takes ["{\"::1\":1}"], refuses ["{\"a\":1}"];
    a_map_with_keys_of_sockets: Option<HashMap<SocketAddr, u8>>, takes ["null", "{\"1.2.3.4:80\":1}"], refuses ["{\"::1\":1}"];
    a_map_with_keys_of_a_newtype: HashMap<Numbered, u8>, takes ["{\"255\":1}"], refuses ["{\"256\":1}"];
    a_map_with_keys_of_a_described_enum: BTreeMap<Described, u8>, takes ["{\"Left\":1}"], refuses ["{\"A\":1}"];
    a_map_with_keys_that_are_no_text: BTreeMap<(u8, u8), u8>, takes ["{}"], refuses ["{\"1\":1}"];
    a_map_with_signed_keys: BTreeMap<i64, u8>, takes ["{\"-1\":1,\"0\":2}"], refuses ["{\"-0\":1}", "{\"a\":1}", "{\"99999999999999999999\":1}"];
    a_map_with_keys_of_an_enum: BTreeMap<Letter, u8>, takes ["{\"A\":1}"], refuses ["{\"C\":1}", "{\"A\":256}"];
    a_result: Result<u8, String>, takes ["{\"Ok\":1}", "{\"Err\":\"a\"}"], refuses ["{\"Ok\":256}", "{}", "{\"Ok\":1,\"more\":1}"];
    a_bound: Bound<u8>, takes ["\"Unbounded\"", "{\"Included\":1.0}"], refuses ["{\"Included\":256}", "{\"Included\":1,\"more\":1}"];
    a_range: Range<u8>, takes ["{\"start\":0,\"end\":255}"], refuses ["{\"start\":0,\"end\":256}", "{\"start\":0}"];
    an_inclusive_range: RangeInclusive<i8>, takes ["{\"start\":-128,\"end\":1}"], refuses ["{\"start\":128,\"end\":1}"];
    a_duration: Duration, takes ["{\"secs\":18446744073709551615,\"nanos\":999999999}"], refuses ["{\"secs\":1,\"nanos\":1000000000}", "{\"secs\":1e20,\"nanos\":0}"];
    a_system_time: SystemTime, takes ["{\"secs_since_epoch\":1e9,\"nanos_since_epoch\":0}"], refuses ["{\"secs_since_epoch\":9223372036854775807,\"nanos_since_epoch\":0}"];
    an_ipv4_address: Ipv4Addr, takes ["\"255.0.0.1\""], refuses ["\"256.0.0.1\"", "\"::1\"", "\"01.2.3.4\""];
    an_ipv6_address: Ipv6Addr, takes ["\"::\"", "\"1:2:3:4:5:6:7:8\"", "\"fe80::1\""], refuses ["\"1.2.3.4\"", "\":::\"", "\"12345::\""];
    a_socket: SocketAddr, takes ["\"1.2.3.4:80\"", "\"[::1%7]:080\""], refuses ["\"1.2.3.4\"", "\"[::1]:65536\"", "1"];
    a_socket_of_version_4: SocketAddrV4, takes ["\"1.2.3.4:0\""], refuses ["\"[::1]:80\""];
    a_socket_of_version_6: SocketAddrV6, takes ["\"[::ffff:1.2.3.4]:80\""], refuses ["\"1.2.3.4:80\""];
    sockets_within: Vec<Option<(std::net::SocketAddr, u8)>>, takes ["[null,[\"1.2.3.4:80\",1]]"], refuses ["[[\"1.2.3.4\",1]]"];
    a_type_of_the_same_name: own::SocketAddr, takes ["\"anything\""], refuses ["1"];
    an_ip_address: IpAddr, takes ["\"1.2.3.4\"", "\"::1\""], refuses ["\"a\""];
    a_value: Value, takes ["null", "1e300", "{\"a\":[1]}"], refuses [];
    an_object: Map<String, Value>, takes ["{\"a\":1.0}"], refuses ["[]", "1"];
    a_number: Number, takes ["1", "1.5"], refuses ["\"1\""];
    a_struct: Plain, takes ["{\"number\":255}", "{\"number\":1,\"more\":1}"], refuses ["{\"number\":256}", "{}"];
    a_closed_struct: Closed, takes ["{\"number\":1}"], refuses ["{\"number\":1,\"more\":1}"];
    a_struct_without_fields: Nothing, takes ["null"], refuses ["{}"];
    a_newtype: Newtype, takes ["255.0"], refuses ["256"];
    a_tuple_struct: Pair, takes ["[1,null]"], refuses ["[1,256]"];
    a_struct_that_holds_itself: Chain, takes ["{\"number\":1,\"next\":{\"number\":1.0,\"next\":null}}"], refuses ["{\"number\":1,\"next\":{\"number\":256}}"];
    a_struct_with_the_fields_of_another: Flat, takes ["{\"number\":1.0,\"other\":2.0,\"a\":3}"], refuses ["{\"number\":256,\"other\":1}", "{\"number\":1,\"other\":1,\"a\":-1}"];
    an_enum_without_fields: Letter, takes ["\"A\""], refuses ["\"C\"", "0"];
    an_enum: Tagged, takes ["\"A\"", "{\"B\":1.0}", "{\"Left\":{\"number\":1}}", "{\"Right\":[1,2]}"], refuses ["{\"B\":256}", "{\"A\":1,\"B\":1}", "{}"];
    an_enum_tagged_inside: Inside, takes ["{\"tag\":\"Left\",\"number\":1.0}", "{\"tag\":\"Right\"}"], refuses ["{\"tag\":\"Left\",\"number\":256}", "{\"number\":1}"];
    an_enum_tagged_beside: Beside, takes ["{\"tag\":\"Left\",\"content\":255}", "{\"tag\":\"Right\"}"], refuses ["{\"tag\":\"Left\",\"content\":256}", "{\"tag\":\"Left\"}"];
    an_enum_without_a_tag: Untagged, takes ["1.0", "\"a\"", "{\"number\":1}", "null"], refuses ["256", "[]"];
    a_renamed_field: Renamed, takes ["{\"number\":1}", "{}"], refuses ["{\"number\":256}"];
    a_narrowed_number: Narrow, takes ["{\"number\":10}"], refuses ["{\"number\":11}"];
    a_number_that_is_not_narrowed_enough: Wide, takes ["{\"number\":255}"], refuses ["{\"number\":256}"];
}

macro_rules! data {
    ($($item:item)*) => {
        $(
            #[derive(Debug, Serialize, Deserialize, JsonSchema)]
            #[serde(crate = "serde")]
            #[schemars(crate = "schemars")]
            $item
        )*
    };
}

mod own {
    use super::{Deserialize, JsonSchema, Serialize};

    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    #[serde(crate = "super::serde")]
    #[schemars(crate = "super::schemars")]
    pub struct SocketAddr(String);
}

#[test]
fn a_map_beside_other_fields_has_only_keys_of_its_type() {
    #[derive(Event)]
    struct Holder {
        value: u8,
        #[serde(flatten)]
        more: HashMap<Letter, u8>,
        #[serde(default)]
        socket: Option<SocketAddr>,
        #[schemars(regex(pattern = "^1"))]
        own: SocketAddr,
    }
    let schema = Holder::declaration().expect("it is no built-in type")["schema"].clone();
    let schema = jsonschema::validator_for(&schema).expect("a sound schema");
    assert!(schema.is_valid(&json!({ "value": 1, "A": 255, "own": "1.2.3.4:80" })));
    assert!(schema.is_valid(&json!({ "value": 1, "socket": "[::]:1", "own": "1.2.3.4:80" })));
    for wrong in [json!({ "A": 256 }), json!({ "socket": "a" }), json!({ "own": "2.2.3.4:80" })] {
        let mut event = json!({ "value": 1, "own": "1.2.3.4:80" });
        event.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert!(!schema.is_valid(&event), "{event}");
    }
}

/// Groups and bytes around the ends of what they can be, before and behind a `::` or without one.
fn addresses() -> Vec<String> {
    let mut texts = Vec::new();
    let groups = |count: usize, last: &str| {
        let mut groups = vec!["0", "fFfF", "00a", "7"].into_iter().cycle().take(count).collect::<Vec<_>>();
        groups.extend((!last.is_empty()).then_some(last));
        groups.join(":")
    };
    for last in ["", "1.2.3.4", "255.255.255.255", "256.1.1.1", "1.2.3", "01.2.3.4", "12345", "g"] {
        texts.push(last.to_owned());
        for before in 0..=9 {
            texts.push(groups(before, last));
            for behind in 0..=9 {
                texts.push(format!("{}::{}", groups(before, ""), groups(behind, last)));
                texts.push(format!("{}::{}", groups(before, last), groups(behind, "")));
            }
        }
    }
    texts.extend(["1::2::3", ":1", "1:", ":::", "0.0.0.0", "1.2.3.4.5", "1..2.3", "٣.1.1.1"].map(String::from));
    texts.extend((0..300).map(|byte| format!("1.{byte}.1.1")));
    texts
}

fn sockets() -> Vec<String> {
    let mut texts = Vec::new();
    let ports = ["", ":", ":0", ":80", ":65535", ":65536", ":065535", ":0000000", ":99999", ":100000", ":-1", ":+1", ":8a", ":80 "];
    let scopes = ["", "%", "%0", "%7", "%4294967295", "%4294967296", "%00000000004294967295", "%eth0", "%-1"];
    let addresses = addresses();
    for address in &addresses {
        texts.extend([address.clone(), format!("{address}:80"), format!("[{address}]:80"), format!("[{address}%1]:80")]);
    }
    for address in ["1.2.3.4", "::1", "fe80::1:2", "1:2:3:4:5:6:7:8"] {
        for port in ports {
            texts.push(format!("{address}{port}"));
            texts.extend(scopes.map(|scope| format!("[{address}{scope}]{port}")));
        }
    }
    texts.extend((65_500..65_600).map(|port| format!("1.2.3.4:{port}")));
    texts
}

/// The schema takes a text where the type reads it, and nowhere else.
#[track_caller]
fn check_exactly<T: std::str::FromStr, E: Event>(texts: &[String]) {
    let declaration = E::declaration().expect("it is no built-in type");
    let schema = jsonschema::validator_for(&declaration["schema"]).expect("a sound schema");
    let mut taken = 0;
    for text in texts {
        let reads = text.parse::<T>().is_ok();
        assert_eq!(schema.is_valid(&json!({ "value": text })), reads, "`{text}`");
        taken += usize::from(reads);
    }
    assert!(taken > 5 && taken < texts.len() - 5, "{taken} of {} are taken", texts.len());
}

macro_rules! exact {
    ($($name:ident: $type:ty, $texts:expr;)*) => {
        $(
            #[test]
            fn $name() {
                #[derive(Event)]
                struct Holder {
                    value: $type,
                }
                check_exactly::<$type, Holder>(&$texts);
            }
        )*
    };
}

exact! {
    every_ipv4_address: Ipv4Addr, addresses();
    every_ipv6_address: Ipv6Addr, addresses();
    every_ip_address: IpAddr, addresses();
    every_socket_of_version_4: SocketAddrV4, sockets();
    every_socket_of_version_6: SocketAddrV6, sockets();
    every_socket: SocketAddr, sockets();
}

data! {
    #[derive(PartialEq, Eq, Hash)]
    struct Numbered(u8);
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    enum Described {
        /// One side.
        Left,
        /// The other.
        Right,
    }
    struct Plain { number: u8 }
    #[serde(deny_unknown_fields)]
    struct Closed { number: u8 }
    struct Nothing;
    struct Newtype(u8);
    struct Pair(u8, Option<u8>);
    struct Chain { number: u8, next: Option<Box<Chain>> }
    struct Flat { #[serde(flatten)] plain: Plain, other: i32, #[serde(flatten)] more: HashMap<String, u64> }
    #[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
    enum Letter { A, B }
    enum Tagged { A, B(u8), Left { number: u8 }, Right(u8, i8) }
    #[serde(tag = "tag")]
    enum Inside { Left { number: u8 }, Right }
    #[serde(tag = "tag", content = "content")]
    enum Beside { Left(u8), Right }
    #[serde(untagged)]
    enum Untagged { Number(u8), Text(String), Object { number: u8 }, Nothing }
    struct Renamed { #[serde(rename = "number", default)] it: u8 }
    struct Narrow { #[schemars(range(max = 10))] number: u8 }
    struct Wide { #[schemars(range(min = -5, max = 1000))] number: u8 }
}

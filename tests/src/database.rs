//! The database below a server, changed, locked and looked at with Python's own SQLite.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Changes the journals of all runs under a handler, as text, while no server is there.
pub fn change_journals(data: &Path, handler: &str, from: &str, to: &str) {
    let script = "import glob, sqlite3, sys
file, handler, old, new = glob.glob(sys.argv[1] + '/*.db')[0], *sys.argv[2:]
store = sqlite3.connect(file)
rows = store.execute('select j.key, text from journal j join run r on r.key = j.run where handler = ?', [handler]).fetchall()
changed = [(text.replace(old.encode(), new.encode()), key) for key, text in rows]
assert any(text != new for (_, text), (new, _) in zip(rows, changed)), rows
store.executemany('update journal set text = ? where key = ?', changed)
store.commit()";
    run(script, &[&data.to_string_lossy(), handler, from, to]);
}

/// Copies the run of a handler with everything of it, so many times, while no server is there: to handlers of its first
/// letter and nine digits, from 0 on.
pub fn copy_runs(data: &Path, handler: &str, times: usize) {
    let database = data.join("wf-host.db");
    run(include_str!("../bench/copy_runs.py"), &[&database.to_string_lossy(), handler, &times.to_string()]);
}

/// A copy of the files of a folder.
pub fn copied(data: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for file in std::fs::read_dir(data).expect("a folder").flatten() {
        std::fs::copy(file.path(), folder.path().join(file.file_name())).expect("copied");
    }
    folder
}

/// What a query gives, as JSON: a list of rows.
pub fn query(data: &Path, query: &str) -> serde_json::Value {
    let script = "import glob, json, sqlite3, sys
print(json.dumps(sqlite3.connect(glob.glob(sys.argv[1] + '/*.db')[0]).execute(sys.argv[2]).fetchall()))";
    serde_json::from_slice(&run(script, &[&data.to_string_lossy(), query])).expect("JSON")
}

/// Changes the database by statements, while no server is there.
pub fn change(data: &Path, statements: &str) {
    let script = "import glob, sqlite3, sys
store = sqlite3.connect(glob.glob(sys.argv[1] + '/*.db')[0])
store.executescript(sys.argv[2])
store.commit()";
    run(script, &[&data.to_string_lossy(), statements]);
}

/// All that is in a database, as a text: its tables, their rows, what its header says of it. None: it cannot be read.
/// Not the counters of keys: that one of them is higher means that some keys are left out.
pub fn content(data: &Path) -> Option<String> {
    let script = "import glob, sqlite3, sys
store = sqlite3.connect(glob.glob(sys.argv[1] + '/*.db')[0])
store.text_factory = bytes
try:
    for name in ['user_version', 'application_id', 'encoding', 'page_size', 'auto_vacuum']:
        print(name, store.execute('pragma ' + name).fetchall())
    for kind, name, text in store.execute('select type, name, sql from sqlite_schema order by name').fetchall():
        print(kind, name, text)
        if kind == b'table' and name != b'sqlite_sequence':
            for row in store.execute('select * from ' + name.decode()):
                print(row)
except (sqlite3.Error, UnicodeDecodeError):
    print('unreadable')";
    let said = String::from_utf8(run(script, &[&data.to_string_lossy()])).expect("text");
    (!said.ends_with("unreadable\n")).then_some(said)
}

/// Packs a file, or unpacks it, as its name says.
pub fn pack(from: &Path, to: &Path) {
    let script = "import lzma, sys
read, write = [lzma.open if path.endswith('.xz') else open for path in sys.argv[1:]]
data = read(sys.argv[1], 'rb').read()
write(sys.argv[2], 'wb').write(data)";
    run(script, &[&from.to_string_lossy(), &to.to_string_lossy()]);
}

/// How many rows a table has.
pub fn rows(data: &Path, table: &str) -> u64 {
    query(data, &format!("select count(*) from {table}"))[0][0].as_u64().expect("a number")
}

/// Another process that keeps everybody else from writing, until it is dropped.
pub struct Lock(Child);

impl Lock {
    /// Locks it. Reading goes on.
    pub fn of(data: &Path) -> Lock {
        let script = "import glob, sqlite3, sys
store = sqlite3.connect(glob.glob(sys.argv[1] + '/*.db')[0], isolation_level=None, timeout=60)
store.execute('begin immediate')
print('locked', flush=True)
sys.stdin.read()";
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(data).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().expect("python3 is there");
        let mut line = String::new();
        let told = BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line);
        assert!(told.is_ok() && line == "locked\n", "the database takes a lock");
        Lock(child)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // It has changed nothing: however it ends, nothing is left of it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Another process that reads one state of the database, until it is dropped: as what copies it does.
pub struct Reading(Child);

impl Reading {
    /// Begins to read.
    pub fn of(data: &Path) -> Reading {
        let script = "import glob, sqlite3, sys
store = sqlite3.connect(glob.glob(sys.argv[1] + '/*.db')[0], isolation_level=None, timeout=60)
store.execute('begin')
store.execute('select count(*) from run').fetchall()
print('reading', flush=True)
sys.stdin.read()";
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(data).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().expect("python3 is there");
        let told = line(&mut child);
        assert_eq!(told, "reading\n", "the database can be read");
        Reading(child)
    }
}

/// Gives a file its last line anew, as `wf-host` does, after parts of it were changed: `old` to `new` in those of a tar
/// whose name holds `part`, or all of a file that is none. An empty `old` adds a part of that name, which holds `new`; with
/// an empty `new` the parts go that hold `old`.
pub fn forge(file: &Path, kind: &str, part: &str, old: &str, new: &str) {
    let script = "import hashlib, io, sys, tarfile
file, kind, part, old, new = sys.argv[1:]
whole = open(file, 'rb').read()
whole = whole[:-124] if b'wf-host' in whole[-124:] else whole
if kind == 'export':
    made, changed = io.BytesIO(), old == ''
    with tarfile.open(fileobj=io.BytesIO(whole)) as source, tarfile.open(fileobj=made, mode='w', format=tarfile.GNU_FORMAT) as target:
        for member in source:
            bytes = source.extractfile(member).read()
            if not new and part in member.name and old.encode() in bytes:
                changed = True
                continue
            if old and part in member.name:
                changed |= old.encode() in bytes
                bytes = bytes.replace(old.encode(), new.encode())
            member.size = len(bytes)
            target.addfile(member, io.BytesIO(bytes))
        if not old:
            member = tarfile.TarInfo(part)
            member.size = len(new.encode())
            target.addfile(member, io.BytesIO(new.encode()))
    assert changed, part
    whole = made.getvalue()
line = '\\nwf-host %s form 0001 size %020d sha256 %s\\n' % (kind, len(whole), hashlib.sha256(whole).hexdigest())
open(file, 'wb').write(whole + line.encode())";
    run(script, &[&file.to_string_lossy(), kind, part, old, new]);
}

fn line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("text");
    line
}

impl Drop for Reading {
    fn drop(&mut self) {
        // It has changed nothing: however it ends, nothing is left of it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(script: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("python3").args(["-c", script]).args(arguments).output().expect("python3 is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

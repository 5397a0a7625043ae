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

/// What a query gives, as JSON: a list of rows.
pub fn query(data: &Path, query: &str) -> serde_json::Value {
    let script = "import glob, json, sqlite3, sys
print(json.dumps(sqlite3.connect(glob.glob(sys.argv[1] + '/*.db')[0]).execute(sys.argv[2]).fetchall()))";
    serde_json::from_slice(&run(script, &[&data.to_string_lossy(), query])).expect("JSON")
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

fn run(script: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("python3").args(["-c", script]).args(arguments).output().expect("python3 is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

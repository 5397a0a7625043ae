//! Whatever stands in `wf-host.toml` is a server's settings, or said to be wrong.

use clap::{CommandFactory, FromArgMatches};
use wf_tests::fuzz::{corpus, fuzz};

use super::layers::Layers;
use super::{Arguments, Command};

#[test]
fn fuzz_config() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wf-host.toml");
    let matches = Arguments::command().get_matches_from(["wf-host", "serve", "--config", path.to_str().expect("text")]);
    let (_, own) = matches.subcommand().expect("serve");
    fuzz("config", &corpus("config"), |bytes| {
        std::fs::write(&path, bytes).expect("it is written");
        let Ok(mut layers) = Layers::new(Some(&path), own) else { return };
        let arguments = Arguments::from_arg_matches(&matches).expect("arguments");
        let Command::Serve(serve) = arguments.command else { unreachable!("it is serve") };
        if serve.settle(&mut layers).is_ok() {
            toml::from_str::<toml::Table>(&layers.toml()).expect("it is shown as a file that can be read");
            serde_json::from_str::<serde_json::Value>(&layers.json()).expect("JSON");
        }
    });
}

//! `wf-host new` carries the SDK, the contract and the engine: what is embedded must be what lies there.

fn main() {
    println!("cargo::rerun-if-changed=../guest-sdk/rust");
    println!("cargo::rerun-if-changed=../wit");
    println!("cargo::rerun-if-changed=engine/src");
}

//! Any text as a manifest: reading them gives objects or a problem with its place, never a panic or an endless loop.
#![no_main]

use k8s_openapi::api::core::v1::Pod;
use libfuzzer_sys::fuzz_target;
use plimsoll_cli::manifests::{Source, decode, read_all};

fuzz_target!(|text: &str| {
    let source = Source { name: "fuzz.yaml".to_owned(), text: text.to_owned() };
    if let Ok(manifests) = read_all(&[source]) {
        for manifest in manifests {
            let _ = decode::decode::<Pod>(manifest.value);
        }
    }
});

use std::collections::BTreeSet;

use expect_test::expect_file;

use super::*;

#[test]
fn docs_plugins_md_is_the_table() {
    expect_file!["../../../docs/plugins.md"].assert_eq(&table_markdown());
}

#[test]
fn each_row_says_what_its_plugin_does() {
    for row in &TABLE {
        let plugin = (row.new)();
        let has = |point| row.points.contains(&point);
        assert_eq!(plugin.name, row.name);
        assert_eq!(plugin.pre_enqueue.is_some(), has(ExtensionPoint::PreEnqueue), "{}", row.name);
        assert_eq!(plugin.queue_sort.is_some(), has(ExtensionPoint::QueueSort), "{}", row.name);
        assert_eq!(plugin.filter.is_some(), has(ExtensionPoint::Filter), "{}", row.name);
        assert_eq!(plugin.post_filter.is_some(), has(ExtensionPoint::PostFilter), "{}", row.name);
        assert_eq!(plugin.score.is_some(), has(ExtensionPoint::Score), "{}", row.name);
    }
    let names: BTreeSet<&str> = TABLE.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), TABLE.len(), "names are given once");
}

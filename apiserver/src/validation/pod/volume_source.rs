//! Where a volume comes from: exactly one source, and what each source needs.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation` (`validateVolumeSource`)

use std::cmp::Ordering;

use k8s_openapi::api::core::v1::{
    AzureDiskVolumeSource, CSIVolumeSource, DownwardAPIVolumeFile, EmptyDirVolumeSource, FCVolumeSource,
    FlexVolumeSource, FlockerVolumeSource, HostPathVolumeSource, ISCSIVolumeSource, KeyToPath,
    NFSVolumeSource, QuobyteVolumeSource, StorageOSVolumeSource, Volume,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_resource_math::Quantity;

use super::container::validate_pull_policy;
use super::field_selector::{VOLUME_FIELDS, validate_object_field, validate_resource_field};
use super::go_json;
use super::options::PodValidationOptions;
use super::paths::{
    validate_file_mode, validate_local_descending, validate_local_non_reserved, validate_no_backsteps,
};
use super::projected_volume::validate_projected;
use crate::validation::object_meta::{
    extend_invalid, name_is_dns_subdomain, validate_annotations, validate_labels,
};
use crate::validation::persistent_volume_claim::validate_spec;
use crate::validation::{named, text};

const LUN_RANGE: &str = "must be between 0 and 255, inclusive";
const MAX_ISCSI_NAME: usize = 64;

/// What is wrong with the source of a volume.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateVolumeSource`)
pub(super) fn validate_volume_source(
    errors: &mut ErrorList,
    volume: &Volume,
    pod_name: Option<&str>,
    options: &PodValidationOptions,
    path: &Path<'_>,
) {
    let mut one = OneSource { path, seen: false };
    if let Some(source) = &volume.empty_dir {
        one.seen = true;
        validate_empty_dir(errors, source, &path.child("emptyDir"));
    }
    one.check(errors, volume.host_path.as_ref(), "hostPath", validate_host_path);
    one.check(errors, volume.git_repo.as_ref(), "gitRepo", |errors, source, path| {
        require(errors, &source.repository, &path.child("repository"));
        validate_local_descending(errors, text(source.directory.as_ref()), &path.child("directory"));
    });
    one.check_at(
        errors,
        volume.gce_persistent_disk.as_ref(),
        "gcePersistentDisk",
        "persistentDisk",
        |errors, source, path| {
            require(errors, &source.pd_name, &path.child("pdName"));
            validate_partition(errors, source.partition, path);
        },
    );
    one.check(
        errors,
        volume.aws_elastic_block_store.as_ref(),
        "awsElasticBlockStore",
        |errors, source, path| {
            require(errors, &source.volume_id, &path.child("volumeID"));
            validate_partition(errors, source.partition, path);
        },
    );
    one.check(errors, volume.secret.as_ref(), "secret", |errors, source, path| {
        require(errors, text(source.secret_name.as_ref()), &path.child("secretName"));
        validate_file_mode(errors, source.default_mode, &path.child("defaultMode"));
        validate_items(errors, source.items.as_deref(), path);
    });
    one.check(errors, volume.nfs.as_ref(), "nfs", validate_nfs);
    one.check(errors, volume.iscsi.as_ref(), "iscsi", validate_iscsi);
    if let Some(source) = &volume.iscsi
        && source.initiator_name.is_some()
        && volume.name.len() + 1 + source.target_portal.len() > MAX_ISCSI_NAME
    {
        let detail = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";
        errors.push(Error::invalid(&path.child("name"), &volume.name, detail));
    }
    one.check(errors, volume.glusterfs.as_ref(), "glusterfs", |errors, source, path| {
        require(errors, &source.endpoints, &path.child("endpoints"));
        require(errors, &source.path, &path.child("path"));
    });
    one.check(errors, volume.flocker.as_ref(), "flocker", validate_flocker);
    one.check(
        errors,
        volume.persistent_volume_claim.as_ref(),
        "persistentVolumeClaim",
        |errors, source, path| {
            require(errors, &source.claim_name, &path.child("claimName"));
        },
    );
    one.check(errors, volume.rbd.as_ref(), "rbd", |errors, source, path| {
        require_list(errors, &source.monitors, &path.child("monitors"));
        require(errors, &source.image, &path.child("image"));
    });
    one.check(errors, volume.cinder.as_ref(), "cinder", |errors, source, path| {
        require(errors, &source.volume_id, &path.child("volumeID"));
        if let Some(secret) = &source.secret_ref {
            require(errors, &secret.name, &path.child("secretRef").child("name"));
        }
    });
    one.check_at(errors, volume.cephfs.as_ref(), "cephFS", "cephfs", |errors, source, path| {
        require_list(errors, &source.monitors, &path.child("monitors"));
    });
    one.check(errors, volume.quobyte.as_ref(), "quobyte", validate_quobyte);
    // Upstream's word, with its slip.
    one.check_at(
        errors,
        volume.downward_api.as_ref(),
        "downwarAPI",
        "downwardAPI",
        |errors, source, path| {
            validate_file_mode(errors, source.default_mode, &path.child("defaultMode"));
            for file in source.items.iter().flatten() {
                validate_downward_api_file(errors, file, path);
            }
        },
    );
    one.check(errors, volume.fc.as_ref(), "fc", validate_fc);
    one.check(errors, volume.flex_volume.as_ref(), "flexVolume", validate_flex);
    one.check(errors, volume.config_map.as_ref(), "configMap", |errors, source, path| {
        require(errors, &source.name, &path.child("name"));
        validate_file_mode(errors, source.default_mode, &path.child("defaultMode"));
        validate_items(errors, source.items.as_deref(), path);
    });
    one.check(errors, volume.azure_file.as_ref(), "azureFile", |errors, source, path| {
        require(errors, &source.secret_name, &path.child("secretName"));
        require(errors, &source.share_name, &path.child("shareName"));
    });
    one.check(errors, volume.vsphere_volume.as_ref(), "vsphereVolume", |errors, source, path| {
        require(errors, &source.volume_path, &path.child("volumePath"));
    });
    one.check(
        errors,
        volume.photon_persistent_disk.as_ref(),
        "photonPersistentDisk",
        |errors, source, path| {
            require(errors, &source.pd_id, &path.child("pdID"));
        },
    );
    one.check(errors, volume.portworx_volume.as_ref(), "portworxVolume", |errors, source, path| {
        require(errors, &source.volume_id, &path.child("volumeID"));
    });
    one.check(errors, volume.azure_disk.as_ref(), "azureDisk", validate_azure_disk);
    one.check(errors, volume.storageos.as_ref(), "storageos", validate_storage_os);
    one.check(errors, volume.projected.as_ref(), "projected", |errors, source, path| {
        validate_projected(errors, source, options, path);
    });
    one.check(errors, volume.scale_io.as_ref(), "scaleIO", |errors, source, path| {
        require(errors, &source.gateway, &path.child("gateway"));
        require(errors, &source.system, &path.child("system"));
        require(errors, text(source.volume_name.as_ref()), &path.child("volumeName"));
    });
    one.check(errors, volume.csi.as_ref(), "csi", validate_csi);
    validate_ephemeral(errors, volume, pod_name, &mut one);
    one.check(errors, volume.image.as_ref(), "image", |errors, source, path| {
        if !options.allow_empty_image_volume_reference {
            require(errors, text(source.reference.as_ref()), &path.child("reference"));
        }
        validate_pull_policy(errors, text(source.pull_policy.as_ref()), &path.child("pullPolicy"));
    });
    if !one.seen {
        errors.push(Error::required(path, "must specify a volume type"));
    }
}

/// Lets one source through and refuses all that follow.
struct OneSource<'a> {
    path: &'a Path<'a>,
    seen: bool,
}

impl OneSource<'_> {
    fn check<T>(
        &mut self,
        errors: &mut ErrorList,
        source: Option<&T>,
        field: &str,
        validate: impl FnOnce(&mut ErrorList, &T, &Path<'_>),
    ) {
        self.check_at(errors, source, field, field, validate);
    }

    /// Some sources are refused under another name than the one they are checked under.
    fn check_at<T>(
        &mut self,
        errors: &mut ErrorList,
        source: Option<&T>,
        refused_as: &str,
        field: &str,
        validate: impl FnOnce(&mut ErrorList, &T, &Path<'_>),
    ) {
        let Some(source) = source else {
            return;
        };
        if self.seen {
            let path = self.path.child(refused_as);
            errors.push(Error::forbidden(&path, "may not specify more than 1 volume type"));
        } else {
            self.seen = true;
            validate(errors, source, &self.path.child(field));
        }
    }
}

fn require(errors: &mut ErrorList, value: &str, path: &Path<'_>) {
    if value.is_empty() {
        errors.push(Error::required(path, ""));
    }
}

fn require_list(errors: &mut ErrorList, values: &[String], path: &Path<'_>) {
    if values.is_empty() {
        errors.push(Error::required(path, ""));
    }
}

fn validate_empty_dir(errors: &mut ErrorList, source: &EmptyDirVolumeSource, path: &Path<'_>) {
    let limit = source.size_limit.as_ref().and_then(|limit| Quantity::parse(&limit.0).ok());
    if limit.is_some_and(|limit| limit.sign() == Ordering::Less) {
        let detail = "SizeLimit field must be a valid resource quantity";
        errors.push(Error::forbidden(&path.child("sizeLimit"), detail));
    }
    if let Some(mode) = source.mode.filter(|mode| !(0..=0o1777).contains(mode)) {
        let detail = "must be a number between 0 and 01777 (octal), both inclusive";
        errors.push(Error::invalid(&path.child("mode"), mode, detail));
    }
}

fn validate_host_path(errors: &mut ErrorList, source: &HostPathVolumeSource, path: &Path<'_>) {
    const TYPES: [&str; 8] =
        ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
    if source.path.is_empty() {
        errors.push(Error::required(&path.child("path"), ""));
        return;
    }
    validate_no_backsteps(errors, &source.path, &path.child("path"));
    if let Some(kind) = source.type_.as_deref().filter(|kind| !TYPES.contains(kind)) {
        errors.push(Error::not_supported(&path.child("type"), named(kind), &TYPES));
    }
}

fn validate_partition(errors: &mut ErrorList, partition: Option<i32>, path: &Path<'_>) {
    if let Some(partition) = partition.filter(|partition| !(0..=255).contains(partition)) {
        let detail = "must be between 1 and 255, inclusive";
        errors.push(Error::invalid(&path.child("partition"), partition, detail));
    }
}

/// What is wrong with the keys of a ConfigMap or Secret that become files.
pub(super) fn validate_items(errors: &mut ErrorList, items: Option<&[KeyToPath]>, path: &Path<'_>) {
    let path = path.child("items");
    for (index, item) in items.unwrap_or_default().iter().enumerate() {
        validate_item(errors, item, &path.index(index));
    }
}

pub(super) fn validate_item(errors: &mut ErrorList, item: &KeyToPath, path: &Path<'_>) {
    require(errors, &item.key, &path.child("key"));
    require(errors, &item.path, &path.child("path"));
    validate_local_non_reserved(errors, &item.path, &path.child("path"));
    validate_file_mode(errors, item.mode, &path.child("mode"));
}

/// What is wrong with a file that tells about the pod. The path leaves the index of the file out.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateDownwardAPIVolumeFile`)
pub(super) fn validate_downward_api_file(
    errors: &mut ErrorList,
    file: &DownwardAPIVolumeFile,
    path: &Path<'_>,
) {
    require(errors, &file.path, &path.child("path"));
    validate_local_non_reserved(errors, &file.path, &path.child("path"));
    match (&file.field_ref, &file.resource_field_ref) {
        (Some(field), resource) => {
            validate_object_field(errors, field, VOLUME_FIELDS, &path.child("fieldRef"));
            if resource.is_some() {
                let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.push(Error::invalid(path, "resource", detail));
            }
        }
        (None, Some(resource)) => {
            validate_resource_field(errors, resource, true, &path.child("resourceFieldRef"));
        }
        (None, None) => {
            errors.push(Error::required(path, "one of fieldRef and resourceFieldRef is required"));
        }
    }
    validate_file_mode(errors, file.mode, &path.child("mode"));
}

fn validate_nfs(errors: &mut ErrorList, source: &NFSVolumeSource, path: &Path<'_>) {
    require(errors, &source.server, &path.child("server"));
    require(errors, &source.path, &path.child("path"));
    if !source.path.starts_with('/') {
        errors.push(Error::invalid(&path.child("path"), &source.path, "must be an absolute path"));
    }
}

fn validate_iscsi(errors: &mut ErrorList, source: &ISCSIVolumeSource, path: &Path<'_>) {
    require(errors, &source.target_portal, &path.child("targetPortal"));
    if source.iqn.is_empty() {
        errors.push(Error::required(&path.child("iqn"), ""));
    } else if let Some(fault) = iscsi_name_fault(&source.iqn) {
        errors.push(Error::invalid(&path.child("iqn"), &source.iqn, fault));
    }
    if !(0..=255).contains(&source.lun) {
        errors.push(Error::invalid(&path.child("lun"), source.lun, LUN_RANGE));
    }
    let has_auth = source.chap_auth_discovery == Some(true) || source.chap_auth_session == Some(true);
    if has_auth && source.secret_ref.is_none() {
        errors.push(Error::required(&path.child("secretRef"), ""));
    }
    if let Some(initiator) = &source.initiator_name
        && let Some(fault) = iscsi_name_fault(initiator)
    {
        errors.push(Error::invalid(&path.child("initiatorname"), initiator, fault));
    }
}

/// What is wrong with an iSCSI name. As upstream's patterns do, the qualified form is looked for at any place.
fn iscsi_name_fault(name: &str) -> Option<&'static str> {
    let is_well_formed = match name.get(..3) {
        Some("iqn") => (0..name.len()).any(|start| name.get(start..).is_some_and(is_qualified_iscsi_name)),
        Some("eui") => is_numbered_iscsi_name(name, 16),
        Some("naa") => is_numbered_iscsi_name(name, 32),
        _ => return Some("must be valid format starting with iqn, eui, or naa"),
    };
    (!is_well_formed).then_some("must be valid format")
}

/// `iqn.`, a month such as `2001-04`, a dot, an authority, a colon and a text.
fn is_qualified_iscsi_name(name: &str) -> bool {
    let Some((month, rest)) = name.strip_prefix("iqn.").and_then(|rest| rest.split_at_checked(8)) else {
        return false;
    };
    let is_month = month.bytes().enumerate().all(|(index, b)| match index {
        4 => b == b'-',
        7 => b == b'.',
        _ => b.is_ascii_digit(),
    });
    let Some((authority, text)) = rest.split_once(':') else {
        return false;
    };
    is_month
        && !authority.is_empty()
        && authority.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
        && !text.is_empty()
        && !text.contains([',', ';', '*', '&', '$', '|', ' ', '\t', '\n', '\u{c}', '\r'])
}

fn is_numbered_iscsi_name(name: &str, digits: usize) -> bool {
    let mut characters = name.chars().skip(3);
    let separator = characters.next();
    separator.is_some_and(|c| c != '\n')
        && characters.clone().count() == digits
        && characters.all(|c| c.is_ascii_alphanumeric())
}

fn validate_flocker(errors: &mut ErrorList, source: &FlockerVolumeSource, path: &Path<'_>) {
    let (name, uuid) = (text(source.dataset_name.as_ref()), text(source.dataset_uuid.as_ref()));
    if name.is_empty() && uuid.is_empty() {
        errors.push(Error::required(path, "one of datasetName and datasetUUID is required"));
    }
    if !name.is_empty() && !uuid.is_empty() {
        let detail = "datasetName and datasetUUID can not be specified simultaneously";
        errors.push(Error::invalid(path, "resource", detail));
    }
    if name.contains('/') {
        errors.push(Error::invalid(&path.child("datasetName"), name, "must not contain '/'"));
    }
}

fn validate_quobyte(errors: &mut ErrorList, source: &QuobyteVolumeSource, path: &Path<'_>) {
    const PAIRS: &str = "must be a host:port pair or multiple pairs separated by commas";
    const MAX_TENANT_LENGTH: usize = 64;
    if source.registry.is_empty() {
        errors.push(Error::required(&path.child("registry"), PAIRS));
    } else if text(source.tenant.as_ref()).len() > MAX_TENANT_LENGTH {
        let detail = "must be a UUID and may not exceed a length of 64 characters";
        errors.push(Error::required(&path.child("tenant"), detail));
    } else {
        for _ in source.registry.split(',').filter(|pair| !is_host_and_port(pair)) {
            errors.push(Error::invalid(&path.child("registry"), &source.registry, PAIRS));
        }
    }
    require(errors, &source.volume, &path.child("volume"));
}

/// Whether Go's `net.SplitHostPort` would split the text.
fn is_host_and_port(pair: &str) -> bool {
    let Some((host, port)) = pair.rsplit_once(':') else {
        return false;
    };
    let host = match host.strip_prefix('[') {
        Some(host) => match host.strip_suffix(']') {
            Some(host) => host,
            None => return false,
        },
        None if host.contains(':') => return false,
        None => host,
    };
    !host.contains(['[', ']']) && !port.contains(['[', ']'])
}

fn validate_fc(errors: &mut ErrorList, source: &FCVolumeSource, path: &Path<'_>) {
    let has_names = source.target_wwns.as_ref().is_some_and(|names| !names.is_empty());
    let has_ids = source.wwids.as_ref().is_some_and(|ids| !ids.is_empty());
    let names_path = path.child("targetWWNs");
    if !has_names && !has_ids {
        errors.push(Error::required(&names_path, "must specify either targetWWNs or wwids, but not both"));
    }
    if has_names && has_ids {
        let detail = "targetWWNs and wwids can not be specified simultaneously";
        errors.push(Error::invalid(&names_path, go_json::text_list(source.target_wwns.as_deref()), detail));
    }
    if !has_names {
        return;
    }
    match source.lun {
        None => {
            errors.push(Error::required(&path.child("lun"), "lun is required if targetWWNs is specified"));
        }
        Some(lun) if !(0..=255).contains(&lun) => {
            errors.push(Error::invalid(&path.child("lun"), lun, LUN_RANGE));
        }
        Some(_) => {}
    }
}

fn validate_flex(errors: &mut ErrorList, source: &FlexVolumeSource, path: &Path<'_>) {
    require(errors, &source.driver, &path.child("driver"));
    let path = path.child("options");
    for key in source.options.iter().flat_map(|options| options.keys()) {
        let namespace = key.split_once('/').map_or(key.as_str(), |(namespace, _)| namespace);
        let namespace = format!(".{}", namespace.to_lowercase());
        if namespace.ends_with(".kubernetes.io") || namespace.ends_with(".k8s.io") {
            let detail = "kubernetes.io and k8s.io namespaces are reserved";
            errors.push(Error::invalid(&path.key(key), key, detail));
        }
    }
}

fn validate_azure_disk(errors: &mut ErrorList, source: &AzureDiskVolumeSource, path: &Path<'_>) {
    const MANAGED: &str =
        "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
    const BLOB: &str = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";
    const CACHING_MODES: [&str; 3] = ["None", "ReadOnly", "ReadWrite"];
    const KINDS: [&str; 3] = ["Dedicated", "Managed", "Shared"];
    require(errors, &source.disk_name, &path.child("diskName"));
    require(errors, &source.disk_uri, &path.child("diskURI"));
    if let Some(mode) = source.caching_mode.as_deref().filter(|mode| !CACHING_MODES.contains(mode)) {
        errors.push(Error::not_supported(&path.child("cachingMode"), named(mode), &CACHING_MODES));
    }
    if let Some(kind) = source.kind.as_deref().filter(|kind| !KINDS.contains(kind)) {
        errors.push(Error::not_supported(&path.child("kind"), named(kind), &KINDS));
    }
    let uri = source.disk_uri.as_str();
    match source.kind.as_deref() {
        Some("Managed") if !uri.starts_with("/subscriptions/") => {
            errors.push(Error::not_supported(&path.child("diskURI"), uri, &[MANAGED]));
        }
        Some(kind) if kind != "Managed" && !uri.starts_with("https://") => {
            errors.push(Error::not_supported(&path.child("diskURI"), uri, &[BLOB]));
        }
        _ => {}
    }
}

fn validate_storage_os(errors: &mut ErrorList, source: &StorageOSVolumeSource, path: &Path<'_>) {
    let (name, namespace) = (text(source.volume_name.as_ref()), text(source.volume_namespace.as_ref()));
    if name.is_empty() {
        errors.push(Error::required(&path.child("volumeName"), ""));
    } else {
        extend_invalid(errors, &path.child("volumeName"), name, names::dns_1123_label(name));
    }
    if !namespace.is_empty() {
        extend_invalid(errors, &path.child("volumeNamespace"), namespace, names::dns_1123_label(namespace));
    }
    if let Some(secret) = &source.secret_ref {
        require(errors, &secret.name, &path.child("secretRef").child("name"));
    }
}

fn validate_csi(errors: &mut ErrorList, source: &CSIVolumeSource, path: &Path<'_>) {
    const MAX_DRIVER_LENGTH: usize = 63;
    let (driver, driver_path) = (source.driver.as_str(), path.child("driver"));
    if driver.is_empty() {
        errors.push(Error::required(&driver_path, ""));
    } else {
        if driver.len() > MAX_DRIVER_LENGTH {
            errors.push(Error::too_long(&driver_path, MAX_DRIVER_LENGTH));
        }
        extend_invalid(errors, &driver_path, driver, names::dns_1123_subdomain(&driver.to_lowercase()));
    }
    if let Some(secret) = &source.node_publish_secret_ref {
        if secret.name.is_empty() {
            errors.push(Error::required(&path.child("nodePublishSecretRef").child("name"), ""));
        } else {
            let faults = name_is_dns_subdomain(&secret.name, false);
            extend_invalid(errors, &path.child("name"), &secret.name, faults);
        }
    }
}

/// The claim that is made for the volume has to get a name that a claim can have.
fn validate_ephemeral(
    errors: &mut ErrorList,
    volume: &Volume,
    pod_name: Option<&str>,
    one: &mut OneSource<'_>,
) {
    let name_path = one.path.child("name");
    one.check(errors, volume.ephemeral.as_ref(), "ephemeral", |errors, source, path| {
        let path = path.child("volumeClaimTemplate");
        match &source.volume_claim_template {
            None => errors.push(Error::required(&path, "")),
            Some(template) => {
                if let Some(meta) = &template.metadata {
                    validate_template_meta(errors, meta, &path.child("metadata"));
                }
                validate_spec(errors, &template.spec, &path.child("spec"));
            }
        }
        if let Some(pod_name) = pod_name.filter(|_| !volume.name.is_empty()) {
            let claim = format!("{pod_name}-{}", volume.name);
            for fault in name_is_dns_subdomain(&claim, false) {
                let detail = format!("PVC name {}: {fault}", plimsoll_api::quote::go_quote(&claim));
                errors.push(Error::invalid(&name_path, &volume.name, detail));
            }
        }
    });
}

/// Only labels and annotations may be set.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateTemplateObjectMeta`)
fn validate_template_meta(errors: &mut ErrorList, meta: &ObjectMeta, path: &Path<'_>) {
    errors.extend(validate_annotations(meta.annotations.as_ref(), &path.child("annotations")));
    errors.extend(validate_labels(meta.labels.as_ref(), &path.child("labels")));
    let is_set = |field: &Option<String>| !text(field.as_ref()).is_empty();
    for (field, is_set) in [
        ("name", is_set(&meta.name)),
        ("generateName", is_set(&meta.generate_name)),
        ("namespace", is_set(&meta.namespace)),
        ("selfLink", is_set(&meta.self_link)),
        ("uID", is_set(&meta.uid)),
        ("resourceVersion", is_set(&meta.resource_version)),
        ("generation", meta.generation.unwrap_or(0) != 0),
        ("creationTimestamp", meta.creation_timestamp.is_some()),
        ("deletionTimestamp", meta.deletion_timestamp.is_some()),
        ("deletionGracePeriodSeconds", meta.deletion_grace_period_seconds.is_some()),
        ("ownerReferences", meta.owner_references.is_some()),
        ("finalizers", meta.finalizers.is_some()),
        ("managedFields", meta.managed_fields.is_some()),
    ] {
        if is_set {
            errors.push(Error::forbidden(&path.child(field), "cannot be set"));
        }
    }
}

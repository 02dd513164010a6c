//! Whether this processor has what the binary was compiled for.
//!
//! `is_x86_feature_detected!` is no use here: for a feature that the whole binary is compiled with
//! it answers `true` without looking.

/// The first instruction set that the binary uses and the processor lacks.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
pub fn missing() -> Option<&'static str> {
    let id = raw_cpuid::CpuId::new();
    let basic = id.get_feature_info();
    let extended = id.get_extended_feature_info();
    let has = |name, present: bool| (name, present);
    [
        // The operating system must save the wide registers too.
        has("AVX", basic.as_ref().is_some_and(|b| b.has_avx() && b.has_oxsave())),
        has("FMA", basic.as_ref().is_some_and(raw_cpuid::FeatureInfo::has_fma)),
        has("AVX2", extended.as_ref().is_some_and(raw_cpuid::ExtendedFeatures::has_avx2)),
        has("BMI2", extended.as_ref().is_some_and(raw_cpuid::ExtendedFeatures::has_bmi2)),
    ]
    .into_iter()
    .find_map(|(name, present)| (!present).then_some(name))
}

/// Nothing beyond the target's baseline is used.
#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
pub fn missing() -> Option<&'static str> {
    None
}

/// What `zeroerr doctor` says of the build.
pub fn describe() -> &'static str {
    if cfg!(target_feature = "avx2") {
        "the processor has AVX2 and FMA, and this build uses them"
    } else if cfg!(target_arch = "x86_64") {
        "this build does not use AVX2: in-process models run several times slower"
    } else {
        "nothing beyond the baseline is needed"
    }
}

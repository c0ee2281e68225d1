//! The text of the kernels, as it goes to NVRTC.

/// What every unit includes, under the name `concord.cuh`.
pub const HEADER: &str = include_str!("../kernels/concord.cuh");

/// One source file of kernels; a module on the device.
#[derive(Debug)]
pub struct Unit {
    /// Its file name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
    /// The kernels in it.
    pub kernels: &'static [&'static str],
}

/// Every source file.
pub static UNITS: &[Unit] = &[
    Unit {
        name: "permutations.cu",
        text: include_str!("../kernels/permutations.cu"),
        kernels: &["permutations_network", "permutations_shuffle"],
    },
    Unit {
        name: "autocorr.cu",
        text: include_str!("../kernels/autocorr.cu"),
        kernels: &[
            "autocorr_scatter",
            "autocorr_centre",
            "autocorr_leaves",
            "autocorr_score",
            "autocorr_scale",
            "autocorr_lag",
            "autocorr_moments",
            "autocorr_channels",
            "autocorr_permute",
            "autocorr_integers",
            "autocorr_relabel",
            "autocorr_kurtosis",
        ],
    },
    Unit { name: "cooc.cu", text: include_str!("../kernels/cooc.cu"), kernels: &["cooc_count"] },
    Unit {
        name: "ligrec.cu",
        text: include_str!("../kernels/ligrec.cu"),
        kernels: &[
            "ligrec_expressing",
            "ligrec_sums_narrow",
            "ligrec_sums_wide",
            "ligrec_infinities",
            "ligrec_exceed_narrow",
            "ligrec_exceed_wide",
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_is_listed_once_and_known_to_the_emulated_device() {
        for unit in UNITS {
            let written: Vec<&str> = unit
                .text
                .split("\nKERNEL ")
                .skip(1)
                .filter_map(|kernel| kernel.split('(').next())
                .collect();
            assert_eq!(written, unit.kernels, "{}", unit.name);
            let known = |kernel: &&str| HEADER.contains(&format!("each({kernel})"));
            assert!(unit.kernels.iter().all(known), "{}", unit.name);
        }
    }
}

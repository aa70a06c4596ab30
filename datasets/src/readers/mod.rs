//! Readers of public face datasets. Each knows the layout and the counts of its set, reports what
//! is missing or wrong line by line, and downloads nothing.

pub mod cfp;
pub mod documents;
pub mod frames;
pub mod insightface;
pub mod lfw;
pub mod listed;
pub mod pad;
pub mod video;
pub mod wider;
pub mod ytf;

/// Where the owners of a set give it out, for a person to go there and accept their terms.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// Name of the set.
    pub set: &'static str,
    /// The owner's page.
    pub page: &'static str,
    /// What the terms ask.
    pub terms: &'static str,
    /// The layout that the reader expects below its root.
    pub layout: &'static str,
}

/// The public sets that the readers know.
pub const ORIGINS: &[Origin] = &[
    Origin {
        set: "LFW",
        page: "http://vis-www.cs.umass.edu/lfw/",
        terms: "research",
        layout: "images/<Name>/<Name>_0001.jpg (or lfw/), pairs.txt, pairsDevTrain.txt, \
            pairsDevTest.txt",
    },
    Origin {
        set: "InsightFace packs (LFW, CFP-FP, AgeDB-30, CALFW, CPLFW)",
        page: "https://github.com/deepinsight/insightface/tree/master/recognition/_datasets_",
        terms: "research, and those of each set",
        layout: "<set>.bin",
    },
    Origin {
        set: "CFP",
        page: "http://www.cfpw.io/",
        terms: "research",
        layout: "Data/Images/001/{frontal,profile}/01.jpg, Protocol/Pair_list_{F,P}.txt, \
            Protocol/Split/{FF,FP}/01..10/{same,diff}.txt",
    },
    Origin {
        set: "YouTube Faces",
        page: "https://www.cs.tau.ac.il/~wolf/ytfaces/",
        terms: "research, form to sign",
        layout: "splits.txt (or splits_corrected.txt), frame_images_DB/<Name>/<clip>/*.jpg",
    },
    Origin {
        set: "WIDER FACE",
        page: "http://shuoyang1213.me/WIDERFACE/",
        terms: "research, non-commercial",
        layout: "WIDER_val/images/<event>/*.jpg, wider_face_split/wider_face_val_bbx_gt.txt; or \
            ground_truth.csv with easy, medium, hard",
    },
    Origin {
        set: "OULU-NPU",
        page: "https://sites.google.com/site/oulunpudatabase/",
        terms: "research, agreement to sign",
        layout: "Protocols/Protocol_<n>/{Train,Dev,Test}[_<k>].txt, \
            {Train,Dev,Test}_files/<name>.avi",
    },
    Origin {
        set: "CelebA-Spoof",
        page: "https://github.com/ZhangYuanhan-AI/CelebA-Spoof",
        terms: "research, non-commercial",
        layout: "metas/intra_test/{train,test}_label.json, \
            Data/{train,test}/<subject>/{live,spoof}/*",
    },
    Origin {
        set: "Replay-Attack",
        page: "https://www.idiap.ch/en/scientific-research/data/replayattack",
        terms: "research, agreement to sign",
        layout: "{train,devel,test}/real/*.mov, {train,devel,test}/attack/{fixed,hand}/*.mov",
    },
    Origin {
        set: "FaceForensics++",
        page: "https://github.com/ondyari/FaceForensics",
        terms: "research, form to sign",
        layout: "original_sequences/youtube/<q>/videos/*.mp4, \
            manipulated_sequences/<method>/<q>/videos/*.mp4; or original/ and one folder a method",
    },
    Origin {
        set: "Celeb-DF v2",
        page: "https://github.com/yuezunli/celeb-deepfakeforensics",
        terms: "research, form to sign",
        layout: "{Celeb-real,YouTube-real,Celeb-synthesis}/*.mp4, List_of_testing_videos.txt",
    },
    Origin {
        set: "DFDC",
        page: "https://ai.meta.com/datasets/dfdc/",
        terms: "research, account needed",
        layout: "dfdc_train_part_<n>/metadata.json and *.mp4; or one such folder",
    },
    Origin {
        set: "MIDV-500, MIDV-2019, MIDV-2020",
        page: "https://github.com/fcakyon/midv500",
        terms: "specimen documents, CC BY-SA or as stated",
        layout: "<document>/{images,ground_truth}/<condition>/*.{tif,jpg,png} with *.json",
    },
];

#[cfg(test)]
pub(crate) mod test_tree {
    use std::path::Path;

    /// A folder of synthetic files that is removed when dropped.
    pub(crate) struct Tree(tempfile::TempDir);

    impl Tree {
        pub(crate) fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        pub(crate) fn path(&self) -> &Path {
            self.0.path()
        }

        pub(crate) fn file(&self, path: &str, bytes: &[u8]) {
            let path = self.0.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }

    /// Asserts that some finding contains `expected`.
    pub(crate) fn assert_finding(findings: &crate::findings::Findings, expected: &str) {
        let lines: Vec<_> = findings.0.iter().map(ToString::to_string).collect();
        assert!(
            lines.iter().any(|line| line.contains(expected)),
            "{expected:?} not in {lines:?}"
        );
    }
}

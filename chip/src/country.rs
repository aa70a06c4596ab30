//! Country codes: certificates state two letters (ISO 3166-1 alpha-2), documents three (Doc 9303-3,
//! section 5).

/// alpha-2 and alpha-3 of ISO 3166-1, five letters a country.
const CODES: &str = "\
    ADANDAEAREAFAFGAGATGAIAIAALALBAMARMAOAGOAQATAARARGASASMATAUTAUAUSAWABWAXALAAZAZEBABIHBBBRB\
    BDBGDBEBELBFBFABGBGRBHBHRBIBDIBJBENBLBLMBMBMUBNBRNBOBOLBQBESBRBRABSBHSBTBTNBVBVTBWBWABYBLR\
    BZBLZCACANCCCCKCDCODCFCAFCGCOGCHCHECICIVCKCOKCLCHLCMCMRCNCHNCOCOLCRCRICUCUBCVCPVCWCUWCXCXR\
    CYCYPCZCZEDEDEUDJDJIDKDNKDMDMADODOMDZDZAECECUEEESTEGEGYEHESHERERIESESPETETHFIFINFJFJIFKFLK\
    FMFSMFOFROFRFRAGAGABGBGBRGDGRDGEGEOGFGUFGGGGYGHGHAGIGIBGLGRLGMGMBGNGINGPGLPGQGNQGRGRCGSSGS\
    GTGTMGUGUMGWGNBGYGUYHKHKGHMHMDHNHNDHRHRVHTHTIHUHUNIDIDNIEIRLILISRIMIMNININDIOIOTIQIRQIRIRN\
    ISISLITITAJEJEYJMJAMJOJORJPJPNKEKENKGKGZKHKHMKIKIRKMCOMKNKNAKPPRKKRKORKWKWTKYCYMKZKAZLALAO\
    LBLBNLCLCALILIELKLKALRLBRLSLSOLTLTULULUXLVLVALYLBYMAMARMCMCOMDMDAMEMNEMFMAFMGMDGMHMHLMKMKD\
    MLMLIMMMMRMNMNGMOMACMPMNPMQMTQMRMRTMSMSRMTMLTMUMUSMVMDVMWMWIMXMEXMYMYSMZMOZNANAMNCNCLNENER\
    NFNFKNGNGANINICNLNLDNONORNPNPLNRNRUNUNIUNZNZLOMOMNPAPANPEPERPFPYFPGPNGPHPHLPKPAKPLPOLPMSPM\
    PNPCNPRPRIPSPSEPTPRTPWPLWPYPRYQAQATREREUROROURSSRBRURUSRWRWASASAUSBSLBSCSYCSDSDNSESWESGSGP\
    SHSHNSISVNSJSJMSKSVKSLSLESMSMRSNSENSOSOMSRSURSSSSDSTSTPSVSLVSXSXMSYSYRSZSWZTCTCATDTCDTFATF\
    TGTGOTHTHATJTJKTKTKLTLTLSTMTKMTNTUNTOTONTRTURTTTTOTVTUVTWTWNTZTZAUAUKRUGUGAUMUMIUSUSAUYURY\
    UZUZBVAVATVCVCTVEVENVGVGBVIVIRVNVNMVUVUTWFWLFWSWSMYEYEMYTMYTZAZAFZMZMBZWZWE";

/// What Doc 9303-3 adds: states and organisations under codes of their own.
const OTHERS: [(&str, &str); 14] = [
    ("D", "DE"),
    ("EUE", "EU"),
    ("GBD", "GB"),
    ("GBN", "GB"),
    ("GBO", "GB"),
    ("GBP", "GB"),
    ("GBS", "GB"),
    ("RKS", "KS"),
    ("UNA", "UN"),
    ("UNK", "UN"),
    ("UNO", "UN"),
    ("UTO", "UT"),
    ("XOM", "XO"),
    ("XPO", "XP"),
];

/// The two letters in certificates of who issues documents under `state`, fillers left out.
pub(crate) fn of_state(state: &str) -> Option<&'static str> {
    let state = state.trim_end_matches('<');
    let listed = || {
        let codes = (0..CODES.len() / 5).map(|i| &CODES[5 * i..5 * i + 5]);
        codes
            .into_iter()
            .find(|code| code[2..] == *state)
            .map(|code| &code[..2])
    };
    OTHERS
        .iter()
        .find(|(three, _)| *three == state)
        .map(|(_, two)| *two)
        .or_else(listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_known_by_the_codes_of_their_documents() {
        assert_eq!(of_state("NLD"), Some("NL"));
        assert_eq!(of_state("D<<"), Some("DE"));
        assert_eq!(of_state("GBR"), Some("GB"));
        assert_eq!(of_state("ZWE"), Some("ZW"));
        assert_eq!(of_state("GB"), None);
        assert_eq!(of_state("<<<"), None);
        assert_eq!(CODES.len() % 5, 0);
    }
}

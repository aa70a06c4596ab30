//! The code lists of ICAO Doc 9303: states and organisations (part 3, section 5), document codes
//! (parts 4 to 7).

use crate::evidence::Format;

/// ISO 3166-1 alpha-3, and what Doc 9303-3 section 5 adds to it, sorted.
const STATES: &str = "\
ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR \
BHR BHS BIH BLM BLR BLZ BMU BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG \
COK COL COM CPV CRI CUB CUW CXR CYM CYP CZE D DEU DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH \
EUE FIN FJI FLK FRA FRO FSM GAB GBD GBN GBO GBP GBR GBS GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC \
GRD GRL GTM GUF GUM GUY HKG HMD HND HRV HTI HUN IAO IDN IMN IND IOT IRL IRN IRQ ISL ISR ITA JAM \
JEY JOR JPN KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA MAC MAF \
MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR MTQ MUS MWI MYS MYT NAM NCL \
NER NFK NGA NIC NIU NLD NOR NPL NRU NTZ NZL OMN PAK PAN PCN PER PHL PLW PNG POL PRI PRK PRT PRY \
PSE PYF QAT REU RKS ROM ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM SLB SLE SLV SMR SOM SPM SRB SSD \
STP SUR SVK SVN SWE SWZ SXM SYC SYR TCA TCD TGO THA TJK TKL TKM TLS TON TTO TUN TUR TUV TWN TZA \
UGA UKR UMI UNA UNK UNO URY USA UTO UZB VAT VCT VEN VGB VIR VNM VUT WLF WSM XAA XBA XCC XCE XCO \
XCT XDC XEC XES XIM XMP XOM XPO XXA XXB XXC XXX YEM ZAF ZMB ZWE";

/// What stands for a state, an organisation or a kind of nationality, without fillers.
pub(super) fn states() -> impl Iterator<Item = &'static str> {
    STATES.split(' ')
}

/// Whether `code`, without fillers, stands for a state, an organisation or a kind of nationality.
pub fn is_state(code: &str) -> bool {
    !code.is_empty() && states().any(|state| state == code)
}

/// Whether a document of this format may bear `code`, without fillers.
pub(super) fn is_document_code(format: Format, code: &str) -> bool {
    match (format, code.as_bytes()) {
        (Format::Td3, [b'P', rest @ ..]) => rest.len() <= 1,
        (Format::MrvA | Format::MrvB, [b'V', rest @ ..]) => rest.len() <= 1,
        // V after A, C or I is kept free, so that a card is never taken for a visa.
        (Format::Td1 | Format::Td2, [b'A' | b'C' | b'I', rest @ ..]) => rest != b"V",
        // Passport cards of some states.
        (Format::Td1 | Format::Td2, [b'P', rest @ ..]) => rest.len() <= 1,
        _ => false,
    }
}

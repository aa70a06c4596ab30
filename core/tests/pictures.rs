//! Encoded files at the border: what is missing is refused, what is there costs no more than the
//! limits say.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};
use vultus::{Image, Kind, Limits};

/// Adds up what the thread holds, and the most it has held.
struct Measuring;

thread_local! {
    static HELD: Cell<[isize; 2]> = const { Cell::new([0; 2]) };
}

fn note(bytes: isize) {
    HELD.with(|held| {
        let [now, most] = held.get();
        held.set([now + bytes, most.max(now + bytes)]);
    });
}

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Measuring {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        // SAFETY: as the caller promised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note(-(layout.size() as isize));
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // A block that moves stands twice.
        note(size as isize);
        note(-(layout.size() as isize));
        // SAFETY: as the caller promised.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Measuring = Measuring;

fn decode(bytes: &[u8]) -> vultus::Result<Image> {
    Image::decode(bytes, &Limits::default())
}

/// Structure at every scale, so that blocks have coefficients.
fn texture(width: usize, height: usize, channels: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let pixel = |i: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (x, y) = (i / channels % width, i / channels / width);
        let wave = 60.0 * ((x as f32 / 9.0).sin() + (y as f32 / 13.0).cos());
        (128.0 + wave + (state >> 28) as f32) as u8
    };
    (0..width * height * channels).map(pixel).collect()
}

struct Order {
    name: &'static str,
    colour: ColorType,
    sampling: SamplingFactor,
    progressive: bool,
    restart: u16,
    optimised: bool,
}

/// Every way in which the encoder orders its blocks.
fn orders() -> Vec<Order> {
    let mut all = Vec::new();
    for (name, colour) in [
        ("grey", ColorType::Luma),
        ("colour", ColorType::Rgb),
        ("four inks", ColorType::Cmyk),
    ] {
        for sampling in [
            SamplingFactor::F_1_1,
            SamplingFactor::F_2_1,
            SamplingFactor::F_2_2,
        ] {
            // The decoder reads four inks in one sampling only.
            if name == "four inks" && sampling != SamplingFactor::F_1_1 {
                continue;
            }
            for progressive in [false, true] {
                // The encoder's optimised tables lack what restarts need.
                for (restart, optimised) in [(0, false), (5, false), (0, true)] {
                    all.push(Order {
                        name,
                        colour,
                        sampling,
                        progressive,
                        restart,
                        optimised,
                    });
                }
            }
        }
    }
    all
}

/// Colour as most files are.
fn colour() -> Order {
    let plain = |o: &Order| o.name == "colour" && !o.progressive && o.restart == 0 && !o.optimised;
    orders().into_iter().find(plain).unwrap()
}

fn jpeg(pixels: &[u8], width: u16, height: u16, order: &Order) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, 90);
    encoder.set_sampling_factor(order.sampling);
    encoder.set_progressive(order.progressive);
    encoder.set_optimized_huffman_tables(order.optimised);
    if order.restart > 0 {
        encoder.set_restart_interval(order.restart);
    }
    encoder.encode(pixels, width, height, order.colour).unwrap();
    out
}

fn channels(order: &Order) -> usize {
    match order.name {
        "grey" => 1,
        "colour" => 3,
        _ => 4,
    }
}

fn say(order: &Order) -> String {
    format!(
        "{}, {:?}, progressive {}, restart {}, optimised {}",
        order.name, order.sampling, order.progressive, order.restart, order.optimised
    )
}

/// Where the data of the first scan begins.
fn first_scan(jpeg: &[u8]) -> usize {
    let mut at = 2;
    loop {
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        let marker = jpeg[at + 1];
        at += 2 + length;
        if marker == 0xda {
            return at;
        }
    }
}

#[test]
fn whole_pictures_of_every_order_are_read() {
    for order in orders() {
        for (width, height) in [(67, 45), (8, 8), (33, 70)] {
            let pixels = texture(width, height, channels(&order));
            let file = jpeg(&pixels, width as u16, height as u16, &order);
            let image = decode(&file).unwrap_or_else(|e| panic!("{}: {e}", say(&order)));
            assert_eq!(
                (image.width() as usize, image.height() as usize),
                (width, height)
            );
        }
    }
}

#[test]
fn a_scan_that_ends_early_is_refused_whatever_is_put_behind_it() {
    let mut tried = 0;
    for order in orders() {
        let file = jpeg(&texture(80, 64, channels(&order)), 80, 64, &order);
        let begin = first_scan(&file);
        for share in 1..20 {
            let end = begin + (file.len() - 2 - begin) * share / 20;
            for missing in [0, 1, file.len() - 2 - end, 3000] {
                let mut cut = file[..end].to_vec();
                cut.extend(vec![0; missing]);
                cut.extend([0xff, 0xd9]);
                let error = decode(&cut).expect_err(&format!("{}: {share}/20", say(&order)));
                assert_eq!(error.kind(), Kind::Input, "{error}");
                assert!(error.to_string().contains("JPEG"), "{error}");
                tried += 1;
            }
        }
        let error = decode(&file[..file.len() - 2]).unwrap_err();
        assert!(error.to_string().contains("end-of-image"), "{error}");
    }
    assert_eq!(tried, 42 * 19 * 4);
}

#[test]
fn a_hole_of_zeros_inside_a_scan_is_refused() {
    let mut missed = Vec::new();
    for order in orders() {
        let file = jpeg(&texture(160, 160, channels(&order)), 160, 160, &order);
        let begin = first_scan(&file);
        for (share, length) in [(3, 200), (5, 400), (7, 900)] {
            let at = begin + (file.len() - begin) * share / 10;
            let mut holed = file.clone();
            let end = (at + length).min(file.len() - 2);
            holed[at..end].fill(0);
            if decode(&holed).is_ok() {
                missed.push(format!("{} {share}/10 {length}", say(&order)));
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn a_picture_without_content_is_no_hole() {
    for order in orders() {
        let pixels = vec![200; 640 * 640 * channels(&order)];
        let file = jpeg(&pixels, 640, 640, &order);
        decode(&file).unwrap_or_else(|e| panic!("{}: {e}", say(&order)));
    }
}

#[test]
fn a_progressive_picture_without_its_last_scans_is_refused() {
    let order = orders()
        .into_iter()
        .find(|o| o.progressive && o.name == "colour")
        .unwrap();
    let file = jpeg(&texture(64, 64, 3), 64, 64, &order);
    let scans: Vec<usize> = (0..file.len() - 1)
        .filter(|&i| file[i..i + 2] == [0xff, 0xda])
        .collect();
    assert!(scans.len() > 3, "{}", scans.len());
    for &at in &scans[1..] {
        // The tables before a scan may stay.
        let error = decode(&[&file[..at], &[0xff, 0xd9]].concat()).unwrap_err();
        assert!(error.to_string().contains("a scan is missing"), "{error}");
    }
}

#[test]
fn a_scan_that_comes_again_is_refused_at_once() {
    let order = orders()
        .into_iter()
        .find(|o| o.progressive && o.name == "grey")
        .unwrap();
    let file = jpeg(&vec![128; 1000 * 1000], 1000, 1000, &order);
    let last = (0..file.len() - 1)
        .rfind(|&i| file[i..i + 2] == [0xff, 0xda])
        .unwrap();
    let scan = &file[last..file.len() - 2];
    let mut bomb = file[..file.len() - 2].to_vec();
    (0..1000).for_each(|_| bomb.extend(scan));
    bomb.extend([0xff, 0xd9]);
    let begin = Instant::now();
    let error = decode(&bomb).unwrap_err();
    assert!(
        error.to_string().contains("what another has brought"),
        "{error}"
    );
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn fill_bytes_change_nothing() {
    let order = &colour();
    let file = jpeg(&texture(64, 64, 3), 64, 64, order);
    let plain = decode(&file).unwrap();
    let table = (0..file.len())
        .find(|&i| file[i..i + 2] == [0xff, 0xdb])
        .unwrap();
    for fill in [&[0xff][..], &[0xff; 7], &[0, 0, 0]] {
        let filled = [&file[..table], fill, &file[table..]].concat();
        let image = decode(&filled).unwrap();
        assert_eq!(image.rgb(), plain.rgb());
        assert_eq!(image.jpeg_quality(), plain.jpeg_quality());
    }
    assert_eq!(plain.jpeg_quality(), Some(90));
}

#[test]
fn what_decoders_cannot_read_is_named() {
    let order = &colour();
    let file = jpeg(&texture(16, 16, 3), 16, 16, order);
    let frame = (0..file.len())
        .find(|&i| file[i..i + 2] == [0xff, 0xc0])
        .unwrap();
    let other = |at: usize, value: u8| {
        let mut file = file.clone();
        file[frame + at] = value;
        file
    };
    let heic = |length: u8| {
        let head = [&[0, 0, 0, length][..], b"ftypmif1\0\0\0\0mif1heicmiafMiHB"].concat();
        [&head, &[0; 99][..]].concat()
    };
    for (bytes, name) in [
        (other(4, 12), "a JPEG of 12 bits a sample"),
        (other(1, 0xc9), "a JPEG with arithmetic coding"),
        (other(1, 0xc3), "a lossless JPEG"),
        (other(1, 0xc5), "a hierarchical JPEG"),
        (b"GIF89a\x01\0".to_vec(), "GIF"),
        (b"BM\x36\0\0\0".to_vec(), "BMP"),
        (b"II*\0\x08\0\0\0".to_vec(), "TIFF"),
        (b"MM\0*\0\0\0\x08".to_vec(), "TIFF"),
        (heic(0x1c), "HEIC"),
        (heic(0x24), "HEIC"),
        (
            b"\0\0\0\x24ftypheic\0\0\0\0mif1MiHBMiHEmiafheictmap".to_vec(),
            "HEIC",
        ),
        (
            b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1A".to_vec(),
            "AVIF",
        ),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1miaf".to_vec(), "HEIF"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42".to_vec(), "a video"),
        (b"\xff\x0a\xfa\x1f".to_vec(), "JPEG XL"),
        (b"%PDF-1.7".to_vec(), "PDF"),
    ] {
        let error = decode(&bytes).unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported, "{name}: {error}");
        assert!(error.to_string().starts_with(name), "{name}: {error}");
    }
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &b| {
        (0..8).fold(crc ^ u32::from(b), |c, _| {
            (c >> 1) ^ (0xedb8_8320 & (c & 1).wrapping_neg())
        })
    })
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [kind, data].concat();
    [
        &(data.len() as u32).to_be_bytes(),
        &named[..],
        &crc(&named).to_be_bytes(),
    ]
    .concat()
}

fn png(header: [u8; 5], (width, height): (u32, u32), extra: &[u8], rows: &[u8]) -> Vec<u8> {
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &header].concat();
    [
        b"\x89PNG\r\n\x1a\n",
        &chunk(b"IHDR", &head)[..],
        extra,
        &chunk(
            b"IDAT",
            &miniz_oxide::deflate::compress_to_vec_zlib(rows, 1),
        ),
        &chunk(b"IEND", &[]),
    ]
    .concat()
}

/// The rows of an 8-bit RGB picture, each with filter 0.
fn rows(pixels: &[u8], width: usize) -> Vec<u8> {
    pixels
        .chunks(3 * width)
        .flat_map(|row| [&[0], row].concat())
        .collect()
}

#[test]
fn no_chunk_of_a_png_is_inflated_beyond_its_limit() {
    let zeros = miniz_oxide::deflate::compress_to_vec_zlib(&vec![0; 64 << 20], 6);
    let rows = rows(&texture(64, 64, 3), 64);
    let raw = b"Raw profile type exif\0\0";
    for (kind, head) in [
        (b"iCCP", &b"x\0\0"[..]),
        (b"zTXt", b"k\0\0"),
        (b"zTXt", raw),
        (b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0"),
    ] {
        let bomb = chunk(kind, &[head, &zeros].concat());
        let file = png(
            [8, 2, 0, 0, 0],
            (64, 64),
            &[bomb.clone(), bomb].concat(),
            &rows,
        );
        let (result, most) = peak(|| decode(&file));
        assert!(result.is_ok(), "{:?}", result.err());
        assert!(
            most < 8 << 20,
            "{} takes {most} bytes",
            String::from_utf8_lossy(kind)
        );
    }
}

/// Returns the most that `run` holds beside what was held before.
fn peak<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let [now, _] = HELD.get();
    HELD.set([now, now]);
    let result = run();
    let [_, most] = HELD.get();
    (result, (most - now) as usize)
}

#[test]
fn decoding_takes_8_bytes_a_pixel_and_16_mib_at_the_most() {
    let (mut counted, mut refused) = (0, Vec::new());
    let mut check = |name: String, pixels: usize, file: &[u8]| {
        let (result, most) = peak(|| decode(file));
        let limit = 8 * pixels + (16 << 20);
        assert!(most <= limit, "{name}: {most} bytes, the limit is {limit}");
        match result {
            Ok(_) => counted += 1,
            Err(error) if error.kind() == Kind::Limit => refused.push(name),
            Err(error) => panic!("{name}: {error}"),
        }
    };
    // A file of 24 megapixels in every order.
    let (width, height) = (6000u16, 4000u16);
    let pixels = usize::from(width) * usize::from(height);
    for order in orders().iter().filter(|o| o.restart == 0 && !o.optimised) {
        let plain = vec![180; pixels * channels(order)];
        check(say(order), pixels, &jpeg(&plain, width, height, order));
    }
    let turned = [
        &[0xff, 0xd8, 0xff, 0xe1, 0, 34][..],
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
        &jpeg(&vec![180; pixels * 3], width, height, &colour())[2..],
    ]
    .concat();
    check("turned".to_owned(), pixels, &turned);
    for (name, header, row) in [
        ("PNG, 8 bits", [8, 2, 0, 0, 0], 3),
        ("PNG, 16 bits with alpha", [16, 6, 0, 0, 0], 8),
        ("PNG, 16 bits with alpha, interlaced", [16, 6, 0, 0, 1], 8),
    ] {
        let (width, height) = (3000, 2000);
        let length = if header[4] == 0 {
            height * (1 + row * width)
        } else {
            0
        };
        let passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)];
        let passes = passes
            .iter()
            .chain(&[(0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]);
        let interlaced: usize = passes
            .map(|&(x, y, dx, dy): &(usize, usize, usize, usize)| {
                (1 + (width - x).div_ceil(dx) * row) * (height - y).div_ceil(dy)
            })
            .sum();
        let rows = vec![0; if length > 0 { length } else { interlaced }];
        let file = png(header, (width as u32, height as u32), &[], &rows);
        check(name.to_owned(), width * height, &file);
    }
    for (name, colour, samples) in [
        ("WebP, lossless", image::ExtendedColorType::Rgb8, 3),
        (
            "WebP, lossless with alpha",
            image::ExtendedColorType::Rgba8,
            4,
        ),
    ] {
        let (width, height) = (3000, 2000);
        let mut file = Vec::new();
        image::codecs::webp::WebPEncoder::new_lossless(&mut file)
            .encode(
                &texture(width, height, samples),
                width as u32,
                height as u32,
                colour,
            )
            .unwrap();
        check(name.to_owned(), width * height, &file);
    }
    refused.sort();
    println!("{counted} files within the limit, refused by their cost: {refused:#?}");
    assert_eq!(counted + refused.len(), 14 + 1 + 3 + 2);
    // In full colour, and four inks.
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(
        refused
            .iter()
            .all(|name| name.contains("F_1_1, progressive true")),
        "{refused:?}"
    );
}

#[test]
fn every_orientation_is_that_of_viewers() {
    let (width, height) = (5u32, 3u32);
    let pixels = texture(5, 3, 3);
    for orientation in 1..=8u8 {
        let mut exif = *b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x00\0\0\0\0\0\0";
        exif[19] = orientation;
        let file = png(
            [8, 2, 0, 0, 0],
            (width, height),
            &chunk(b"eXIf", &exif),
            &rows(&pixels, width as usize),
        );
        let ours = decode(&file).unwrap();
        let buffer = image::RgbImage::from_raw(width, height, pixels.clone()).unwrap();
        let mut other = image::DynamicImage::ImageRgb8(buffer);
        other.apply_orientation(image::metadata::Orientation::from_exif(orientation).unwrap());
        assert_eq!(
            (ours.width(), ours.height()),
            (other.width(), other.height())
        );
        assert_eq!(ours.rgb(), other.as_bytes(), "orientation {orientation}");
    }
}

#[test]
fn orientation_is_found_where_viewers_find_it() {
    let pixels = texture(5, 3, 3);
    let rows = rows(&pixels, 5);
    let tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let exif = [b"Exif\0\0", &tiff[..]].concat();
    let digits: String = exif.iter().map(|byte| format!("{byte:02x}")).collect();
    let profile = format!("\nexif\n{:8}\n{digits}\n", exif.len());
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(profile.as_bytes(), 6);
    let xmp = br#"XML:com.adobe.xmp 0000<x tiff:Orientation="6"/>"#.map(|b| b);
    let xmp: Vec<u8> = xmp.iter().map(|&b| if b == b' ' { 0 } else { b }).collect();
    let xmp = String::from_utf8(xmp)
        .unwrap()
        .replacen("0000", "\0\0\0\0", 1);
    let xmp = xmp
        .replacen("xtiff", "x tiff", 1)
        .replacen("x\0tiff", "x tiff", 1);
    for (name, extra) in [
        ("eXIf", chunk(b"eXIf", tiff)),
        (
            "zTXt",
            chunk(
                b"zTXt",
                &[b"Raw profile type exif\0\0", &packed[..]].concat(),
            ),
        ),
        (
            "tEXt",
            chunk(
                b"tEXt",
                &[b"Raw profile type APP1\0", profile.as_bytes()].concat(),
            ),
        ),
        ("iTXt", chunk(b"iTXt", xmp.as_bytes())),
    ] {
        let image = decode(&png([8, 2, 0, 0, 0], (5, 3), &extra, &rows)).unwrap();
        assert_eq!((image.width(), image.height()), (3, 5), "{name}");
    }
}

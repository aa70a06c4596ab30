//! Remote photoplethysmography: the pulse in the colour of the skin (CHROM; de Haan and Jeanne
//! 2013). Computed and told, but it decides nothing: recordings carry the pulse of whom they show,
//! and coding destroys it in honest clips.

use super::frame::Frame;

const LEAST_SECONDS: f32 = 8.0;
const LEAST_RATE_HZ: f32 = 8.0;
/// 42 to 180 beats a minute.
const BAND_HZ: std::ops::Range<f32> = 0.7..3.0;
const STEP_HZ: f32 = 0.05;

/// The share of the colour signal's power that does not lie at one pulse rate, within the band of
/// human pulses.
pub(super) fn absence(frames: &[&Frame]) -> Option<f32> {
    let skin = |frame: &&Frame| {
        let colours = frame.face.as_ref()?.colours;
        Some((
            frame.timestamp_us,
            std::array::from_fn(|c| (colours.forehead[c] + colours.cheeks[c]) / 2.0),
        ))
    };
    let seen: Vec<(u64, [f32; 3])> = frames.iter().filter_map(skin).collect();
    let (first, last) = (seen.first()?.0, seen.last()?.0);
    let seconds = last.saturating_sub(first) as f32 * 1e-6;
    if seconds < LEAST_SECONDS || (seen.len() as f32) < LEAST_RATE_HZ * seconds {
        return None;
    }
    let mean =
        |c: usize| (seen.iter().map(|(_, rgb)| rgb[c]).sum::<f32>() / seen.len() as f32).max(1.0);
    let means = [mean(0), mean(1), mean(2)];
    let relative: Vec<[f32; 3]> = seen
        .iter()
        .map(|(_, rgb)| std::array::from_fn(|c| rgb[c] / means[c] - 1.0))
        .collect();
    let x: Vec<f32> = relative.iter().map(|[r, g, _]| 3.0 * r - 2.0 * g).collect();
    let y: Vec<f32> = relative
        .iter()
        .map(|[r, g, b]| 1.5 * r + g - 1.5 * b)
        .collect();
    let size = |v: &[f32]| v.iter().map(|v| v * v).sum::<f32>().sqrt();
    let alpha = size(&x) / size(&y).max(f32::MIN_POSITIVE);
    let times: Vec<f32> = seen
        .iter()
        .map(|(at, _)| at.saturating_sub(first) as f32 * 1e-6)
        .collect();
    let signal: Vec<f32> = x.iter().zip(&y).map(|(x, y)| x - alpha * y).collect();
    let steps = ((BAND_HZ.end - BAND_HZ.start) / STEP_HZ) as usize;
    let powers: Vec<f32> = (0..=steps)
        .map(|i| power(&signal, &times, BAND_HZ.start + i as f32 * STEP_HZ))
        .collect();
    let total: f32 = powers.iter().sum();
    let peak = (0..powers.len()).max_by(|&i, &j| powers[i].total_cmp(&powers[j]))?;
    let near: f32 = powers[peak.saturating_sub(2)..powers.len().min(peak + 3)]
        .iter()
        .sum();
    (total > 0.0).then(|| 1.0 - near / total)
}

/// The power of a signal at a frequency, sampled at any times.
fn power(signal: &[f32], times: &[f32], hz: f32) -> f32 {
    let (mut cosine, mut sine) = (0.0f32, 0.0f32);
    for (value, time) in signal.iter().zip(times) {
        let phase = std::f32::consts::TAU * hz * time;
        cosine += value * libm::cosf(phase);
        sine += value * libm::sinf(phase);
    }
    cosine * cosine + sine * sine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_peaks_at_the_frequency() {
        let times: Vec<f32> = (0..300).map(|i| i as f32 / 30.0).collect();
        let signal: Vec<f32> = times
            .iter()
            .map(|t| libm::sinf(std::f32::consts::TAU * 1.2 * t))
            .collect();
        assert!(power(&signal, &times, 1.2) > 100.0 * power(&signal, &times, 2.0));
    }
}

//! Which of the faces is meant, or why that cannot be said.

use crate::evidence::{Detection, Role};

/// The chosen face, and the one that made the choice doubtful.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    pub(crate) face: Detection,
    /// A second face so large that either could be meant.
    pub(crate) rival: Option<Detection>,
}

/// The prominence of a second face, relative to the most prominent, from which either could be
/// meant. Documents carry ghost portraits, which are smaller copies; on a selfie any face near the
/// camera is a bystander.
fn rival_share(role: Role) -> f32 {
    match role {
        Role::Selfie => 0.6,
        Role::Document => 0.85,
    }
}

/// How much a face of a picture of `width` x `height` pixels stands out: its side. On a selfie the
/// side counts half at the middle of an edge, because who takes it looks into the middle, and a
/// bystander nearer to the camera is seen at the side.
fn prominence(face: &Detection, role: Role, width: f32, height: f32) -> f32 {
    let side = face.bounds.side();
    match role {
        Role::Selfie => {
            let centre = face.bounds.centre();
            let (x, y) = (2.0 * centre.x / width - 1.0, 2.0 * centre.y / height - 1.0);
            side / (1.0 + x * x + y * y)
        }
        Role::Document => side,
    }
}

/// Chooses the most prominent face of a picture of `width` x `height` pixels. A second face of
/// similar prominence is reported, because picking the better match would raise the false match
/// rate with every bystander. `None` when there is no face.
pub(crate) fn choose(faces: &[Detection], role: Role, width: f32, height: f32) -> Option<Choice> {
    let prominence = |face: &Detection| prominence(face, role, width, height);
    let (mut first, mut second) = (None, None);
    for face in faces.iter().map(|face| (prominence(face), face)) {
        if first.is_none_or(|(most, _)| face.0 > most) {
            (first, second) = (Some(face), first);
        } else if second.is_none_or(|(more, _)| face.0 > more) {
            second = Some(face);
        }
    }
    let (most, face) = first?;
    let rival = second.filter(|(other, _)| *other >= rival_share(role) * most);
    Some(Choice {
        face: face.clone(),
        rival: rival.map(|(_, other)| other.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Detector;
    use crate::geometry::{Point, Rect};

    /// A face whose box begins at x and lies about the middle of a picture of 400 x 200 pixels.
    fn face(x: f32, side: f32) -> Detection {
        let eye = Point::new(x, 100.0);
        let bounds = Rect {
            x,
            y: 100.0 - side / 2.0,
            width: side,
            height: side,
        };
        Detection {
            bounds,
            score: 0.9,
            left_eye: eye,
            right_eye: eye,
            detector: Detector::Near,
        }
    }

    fn choose(faces: &[Detection], role: Role) -> Option<Choice> {
        super::choose(faces, role, 400.0, 200.0)
    }

    #[test]
    fn the_most_prominent_is_chosen_and_a_bystander_named() {
        let faces = [face(10.0, 40.0), face(100.0, 100.0), face(220.0, 70.0)];
        let choice = choose(&faces, Role::Selfie).unwrap();
        assert_eq!(
            (choice.face, choice.rival),
            (faces[1].clone(), Some(faces[2].clone()))
        );
        assert_eq!(
            choose(&faces, Role::Document).unwrap().rival,
            None,
            "a ghost portrait is no rival"
        );
        assert_eq!(choose(&faces[..2], Role::Selfie).unwrap().rival, None);
        assert_eq!(choose(&[], Role::Selfie), None);
    }

    #[test]
    fn at_the_edge_a_face_counts_half() {
        // The first lies about the middle, the second about the right edge.
        let faces = [face(160.0, 80.0), face(350.0, 100.0)];
        let choice = choose(&faces, Role::Selfie).unwrap();
        assert_eq!(
            (choice.face, choice.rival),
            (faces[0].clone(), Some(faces[1].clone()))
        );
        let smaller = [face(160.0, 80.0), face(355.0, 90.0)];
        assert_eq!(choose(&smaller, Role::Selfie).unwrap().rival, None);
        assert_eq!(
            choose(&faces, Role::Document).unwrap().face,
            faces[1],
            "a portrait may be anywhere on a page"
        );
    }

    #[test]
    fn two_equal_faces_are_doubtful_in_every_role() {
        let faces = [face(100.0, 80.0), face(220.0, 80.0)];
        for role in [Role::Selfie, Role::Document] {
            assert!(choose(&faces, role).unwrap().rival.is_some());
        }
    }
}

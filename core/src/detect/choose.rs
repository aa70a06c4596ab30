//! Which of the faces is meant, or why that cannot be said.

use super::{Detection, Role};

/// The chosen face, and the one that made the choice doubtful.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    pub(crate) face: Detection,
    /// A second face so large that either could be meant.
    pub(crate) rival: Option<Detection>,
}

/// The side of a second face, relative to the largest, from which either could be meant. Documents carry ghost portraits,
/// which are smaller copies; on a selfie any face near the camera is a bystander.
fn rival_side(role: Role) -> f32 {
    match role {
        Role::Selfie => 0.6,
        Role::Document => 0.85,
    }
}

/// Chooses the largest face. A second face of similar size is reported, because picking the better match would raise
/// the false match rate with every bystander. `None` when there is no face.
pub(crate) fn choose(faces: &[Detection], role: Role) -> Option<Choice> {
    let face = faces.iter().max_by(|a, b| a.bounds.side().total_cmp(&b.bounds.side()))?;
    let rival = faces
        .iter()
        .filter(|other| !std::ptr::eq(*other, face) && other.bounds.side() >= rival_side(role) * face.bounds.side())
        .max_by(|a, b| a.bounds.side().total_cmp(&b.bounds.side()));
    Some(Choice { face: face.clone(), rival: rival.cloned() })
}

#[cfg(test)]
mod tests {
    use super::super::Detector;
    use super::*;
    use crate::geometry::{Point, Rect};

    fn face(x: f32, side: f32) -> Detection {
        let eye = Point::new(x, 0.0);
        let bounds = Rect { x, y: 0.0, width: side, height: side };
        Detection { bounds, score: 0.9, left_eye: eye, right_eye: eye, detector: Detector::Near }
    }

    #[test]
    fn the_largest_is_chosen_and_a_bystander_named() {
        let faces = [face(0.0, 40.0), face(100.0, 100.0), face(300.0, 70.0)];
        let choice = choose(&faces, Role::Selfie).unwrap();
        assert_eq!((choice.face, choice.rival), (faces[1].clone(), Some(faces[2].clone())));
        assert_eq!(choose(&faces, Role::Document).unwrap().rival, None, "a ghost portrait is no rival");
        assert_eq!(choose(&faces[..2], Role::Selfie).unwrap().rival, None);
        assert_eq!(choose(&[], Role::Selfie), None);
    }

    #[test]
    fn two_equal_faces_are_doubtful_in_every_role() {
        let faces = [face(0.0, 80.0), face(100.0, 80.0)];
        for role in [Role::Selfie, Role::Document] {
            assert!(choose(&faces, role).unwrap().rival.is_some());
        }
    }
}

#![allow(dead_code)]
mod error;
mod image;
pub use error::{Error,Kind,Result,Stage};
pub use image::{Image,ImageView,Limits,PixelFormat};
pub struct Decision;

//! Structures that kernels take: the same bytes in Rust as in CUDA.

use super::Address;

/// A structure of arguments; `arguments!` writes one.
pub trait Arguments: Field {
    /// Its name in the kernel's source.
    const NAME: &'static str;
    /// Names of the fields and where they begin, in bytes.
    const FIELDS: &'static [(&'static str, usize)];

    /// Its bytes as a kernel takes them, zero between fields.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; size_of::<Self>()];
        self.put(&mut bytes);
        bytes
    }
}

/// What a field may be.
pub trait Field: Copy {
    /// Writes its bytes, as a little-endian device has them.
    fn put(&self, to: &mut [u8]);
}

impl Field for Address {
    fn put(&self, to: &mut [u8]) {
        to.copy_from_slice(&self.0.to_le_bytes());
    }
}

macro_rules! fields {
    ($($number:ty),*) => { $(impl Field for $number {
        fn put(&self, to: &mut [u8]) {
            to.copy_from_slice(&self.to_le_bytes());
        }
    })* };
}
fields!(i32, u32, i64, f32);

impl<T: Field, const N: usize> Field for [T; N] {
    fn put(&self, to: &mut [u8]) {
        self.iter().zip(to.chunks_mut(size_of::<T>())).for_each(|(value, to)| value.put(to));
    }
}

/// Writes a structure of arguments with the names by which tests find it in the kernel's source.
macro_rules! arguments {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        #[repr(C)]
        pub struct $name { $($(#[$field_doc])* pub $field: $kind,)* }

        impl $crate::cuda::Arguments for $name {
            const NAME: &'static str = stringify!($name);
            const FIELDS: &'static [(&'static str, usize)] = &[$((stringify!($field), std::mem::offset_of!($name, $field)),)*];
        }

        impl $crate::cuda::Field for $name {
            fn put(&self, to: &mut [u8]) {
                $({
                    let at = std::mem::offset_of!($name, $field);
                    $crate::cuda::Field::put(&self.$field, &mut to[at..at + size_of::<$kind>()]);
                })*
            }
        }
    };
}
pub(crate) use arguments;

//! Loops compiled for the widest vectors of the processor they run on.

/// Runs `work` compiled for the best instruction set found at run time (AVX-512, AVX2 with FMA, NEON, or plain).
///
/// Only code that is inlined into `work` profits, so the functions it calls are `#[inline(always)]`.
#[inline]
pub(crate) fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    struct Work<F>(F);
    impl<F: FnOnce() -> R, R> pulp::NullaryFnOnce for Work<F> {
        type Output = R;
        #[inline(always)]
        fn call(self) -> R {
            self.0()
        }
    }
    pulp::Arch::new().dispatch(Work(work))
}

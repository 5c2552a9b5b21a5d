use ndarray::Array4;
use xai::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (name, n, what, times) = (&args[1], args[2].parse::<usize>().unwrap(), args[3].as_str(), args[4].parse::<usize>().unwrap());
    let config = VitConfig::by_name(name).unwrap();
    let side = if name.starts_with("dinov2") { 224 } else { config.image_size.0 };
    let numbers = kernels::check::seeded::<f32>(7, n * 3 * side * side);
    let batch = Batch::new(Array4::from_shape_vec((n, 3, side, side), numbers).unwrap()).unwrap();
    let vit = Vit::random(config, HeadKind::Linear(7), 1).unwrap();
    let run = || {
        if what == "forward" {
            vit.trace(&batch, Probe::Logits).unwrap();
        } else {
            let method = Method::by_name(what).unwrap();
            explain(&vit.trace(&batch, method.probe()).unwrap(), Target::Class(1), &method).unwrap();
        }
    };
    run();
    run();
    let mut all: Vec<f64> = (0..times)
        .map(|_| {
            let t = std::time::Instant::now();
            run();
            t.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    all.sort_by(f64::total_cmp);
    println!("{name} b{n} {what}: {:.1} ms (least {:.1})", all[times / 2], all[0]);
}

//! Parameter counts of the published architectures, from a formula of their own and without taking their memory.

use xai::{Family, HeadKind, Pooling, Vit, VitConfig};

/// Every product written out: what a reader of the papers would count.
fn by_hand(config: &VitConfig, head: HeadKind) -> usize {
    let (d, m, a) = (config.hidden_size, config.intermediate_size, config.num_attention_heads * config.head_width());
    let layer_scale = if config.layer_scale { 2 * d } else { 0 };
    let mlp = if m > 0 { 2 * d + (d * m + m) + (m * d + d) } else { 0 };
    let block = 2 * d + (3 * d * a + if config.qkv_bias { 3 * a } else { 0 }) + (a * d + d) + mlp + layer_scale;
    let special = match config.family {
        Family::Vit => d,
        Family::Deit => 2 * d,
        Family::Dinov2 => d + config.special_tokens.registers * d,
    };
    let positioned = if config.family == Family::Deit { 2 } else { 1 };
    let tokens = positioned + (config.image_size.0 / config.patch_size) * (config.image_size.1 / config.patch_size);
    let patches = config.num_channels * config.patch_size.pow(2) * d + d;
    special + tokens * d + patches + config.num_hidden_layers * block + 2 * d + head_by_hand(head, config.pooled_width())
}

/// Linear layers with their biases, and a gain and a bias for each BatchNorm.
fn head_by_hand(head: HeadKind, width: usize) -> usize {
    match head {
        HeadKind::None => 0,
        HeadKind::Linear(classes) => width * classes + classes,
        HeadKind::Distilled(classes) => 2 * (width / 2 * classes + classes),
        HeadKind::Dnn3(classes) => {
            let linears = (width * 512 + 512) + (512 * 256 + 256) + (256 * 64 + 64) + (64 * classes + classes);
            linears + 2 * (512 + 256 + 64)
        }
    }
}

#[test]
fn the_thesiss_extractor_and_classifier_have_its_parameters() {
    let config = VitConfig::vit_large_patch32_384();
    assert_eq!(config.parameters(HeadKind::Dnn3(7)), 306_282_375);
    assert_eq!(config.parameters(HeadKind::Dnn3(7)) - config.parameters(HeadKind::None), 674_695);
    assert_eq!(head_by_hand(HeadKind::Dnn3(7), 1024), 674_695);
    assert_eq!(config.parameters(HeadKind::None), 305_607_680);
}

#[test]
fn published_counts_are_met() {
    // As the model cards and the papers' code count them.
    let published = [
        (VitConfig::vit_base_patch16_224(), HeadKind::Linear(1000), 86_567_656),
        (VitConfig::vit_large_patch16_224(), HeadKind::Linear(1000), 304_326_632),
        (VitConfig::vit_huge_patch14_224(), HeadKind::None, 630_764_800),
        (VitConfig::dinov2_small(), HeadKind::None, 22_056_192),
        (VitConfig::dinov2_with_registers_small(), HeadKind::None, 22_057_728),
        (VitConfig::vit_mnist_gpu(), HeadKind::Linear(10), 499_722),
        (VitConfig::vit_mnist_3class(), HeadKind::Linear(3), 137_795),
        (VitConfig::vit_mnist_371(), HeadKind::Linear(3), 371),
        (VitConfig::deit_tiny_distilled_patch16_224(), HeadKind::Distilled(1000), 5_910_800),
        (VitConfig::deit_base_distilled_patch16_224(), HeadKind::Distilled(1000), 87_338_192),
    ];
    for (config, head, count) in published {
        assert_eq!(config.parameters(head), count, "{config:?}");
    }
}

#[test]
fn every_named_architecture_follows_the_formula() {
    for (name, config) in VitConfig::named() {
        for head in [HeadKind::None, HeadKind::Linear(2), HeadKind::Dnn3(7)] {
            assert_eq!(config.parameters(head), by_hand(&config, head), "{name} with {head:?}");
        }
    }
}

#[test]
fn a_model_has_as_many_parameters_as_its_configuration_says() {
    let vit = VitConfig::tiny_for_tests();
    let dinov2 = VitConfig { family: Family::Dinov2, layer_scale: true, pooling: Pooling::ClsAndMean, ..vit.clone() };
    let mean = VitConfig { pooling: Pooling::MeanPatches, ..vit.clone() };
    for config in [vit, dinov2, mean] {
        for head in [HeadKind::None, HeadKind::Linear(1), HeadKind::Linear(9), HeadKind::Dnn3(7)] {
            let model = Vit::random(config.clone(), head, 1).unwrap();
            assert_eq!(model.parameters(), config.parameters(head), "{config:?} with {head:?}");
            assert_eq!(model.head_parameters(), head_by_hand(head, config.pooled_width()));
        }
    }
}

#[test]
fn vit_huge_has_heads_of_width_80() {
    assert_eq!(VitConfig::vit_huge_patch14_224().head_width(), 80);
    let made_for_play = |name: &str| name == "tiny_for_tests" || name == "vit_mnist_371";
    assert!(VitConfig::named().iter().all(|(name, config)| made_for_play(name) || config.head_width() % 8 == 0));
}

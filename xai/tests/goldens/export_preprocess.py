"""Exports what the reference image processors make of small synthetic pictures.

Run once with transformers 5.23, torch 2.11 and Pillow 13 (earlier ones resize the width first, always):

    python export_preprocess.py preprocess.safetensors

The file holds, per case NAME: NAME.input (H, W, 3) u8, NAME.seen (h, w, 3) u8 after resize and crop, and for a few
cases NAME.pixels (3, h, w) f32 after normalisation. Its metadata maps NAME to the text of preprocessor_config.json.
"""

import json
import sys

import numpy as np
from PIL import Image
from safetensors.numpy import save_file
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

PROCESSORS = {
    "ViTImageProcessor": ViTImageProcessorPil,
    "ViTFeatureExtractor": ViTImageProcessorPil,
    "BitImageProcessor": BitImageProcessorPil,
    "CLIPImageProcessorFast": CLIPImageProcessorPil,
    "DeiTImageProcessor": DeiTImageProcessorPil,
}
NEAREST, LANCZOS, BILINEAR, BICUBIC = 0, 1, 2, 3
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}


def square(side, resample):
    return {"image_processor_type": "ViTImageProcessor", "size": {"height": side, "width": side}, "resample": resample}


def shortest(edge, crop, **more):
    return {
        "image_processor_type": "BitImageProcessor",
        "size": {"shortest_edge": edge},
        "crop_size": {"height": crop[0], "width": crop[1]},
        **more,
    }


# (name, height, width, config, whether the normalised pixels are kept as well)
CASES = [
    ("bilinear_down", 60, 45, square(24, BILINEAR), True),
    ("bilinear_up", 8, 8, square(31, BILINEAR), False),
    ("bilinear_mixed", 37, 91, {"size": {"height": 48, "width": 32}}, False),
    ("bilinear_far_down", 101, 75, square(16, BILINEAR), False),
    ("bicubic_down", 60, 45, square(24, BICUBIC), False),
    ("bicubic_up", 8, 8, square(31, BICUBIC), False),
    ("bicubic_mixed", 37, 91, {"size": [48, 32], "resample": BICUBIC}, False),
    ("bicubic_far_down", 101, 75, square(16, BICUBIC), False),
    ("lanczos_down", 60, 45, square(24, LANCZOS), False),
    ("lanczos_up", 8, 11, square(25, LANCZOS), False),
    ("nearest_down", 60, 45, square(24, NEAREST), False),
    ("nearest_up", 7, 9, square(32, NEAREST), False),
    # Halves fall on pixel edges here, so that rounding decides.
    ("nearest_ties", 46, 56, square(39, NEAREST), False),
    ("legacy_number", 33, 47, {"feature_extractor_type": "ViTFeatureExtractor", "size": 28, "do_rescale": None}, False),
    ("dinov2_wide", 45, 60, shortest(32, (28, 28), **IMAGENET, do_convert_rgb=True, rescale_factor=0.00392156862745098), True),
    ("dinov2_tall", 91, 37, shortest(27, (24, 24)), False),
    ("dinov2_number", 61, 40, {"image_processor_type": "BitImageProcessor", "size": 30, "crop_size": 21}, False),
    ("odd_crop", 50, 71, shortest(33, (28, 31)), False),
    ("pads_both", 41, 29, shortest(20, (35, 25)), False),
    ("pads_odd", 17, 30, shortest(14, (21, 28)), False),
    ("crop_only", 43, 38, {"do_resize": False, "do_center_crop": True, "crop_size": {"height": 40, "width": 41}}, False),
    ("already_there", 20, 20, square(20, BICUBIC), False),
    ("raw_values", 30, 20, {**square(12, BILINEAR), "do_rescale": False, "image_mean": 127.5, "image_std": 63.0}, True),
    ("no_normalize", 30, 20, {**square(12, BICUBIC), "do_normalize": False}, True),
]
# Files that name only their type: the defaults are 224 pixels, so only a corner of the result is kept.
DEFAULTS = [
    ("default_vit", 20, 26, {"image_processor_type": "ViTImageProcessor"}),
    ("default_bit", 20, 26, {"image_processor_type": "BitImageProcessor"}),
    ("default_clip", 20, 26, {"image_processor_type": "CLIPImageProcessorFast"}),
    ("default_deit", 20, 26, {"image_processor_type": "DeiTImageProcessor"}),
]
CORNER = 16


def picture(seed, height, width):
    """A lesion-like blob with a hard edge, a ramp and noise: smooth parts, steps and single pixels."""
    draw = np.random.default_rng(seed)
    row, col = np.mgrid[0:height, 0:width]
    ramp = np.stack([row / height, col / width, (row + col) / (height + width)], axis=-1)
    blob = (row / height - 0.45) ** 2 + (col / width - 0.55) ** 2 < 0.09
    noise = draw.normal(0.0, 0.08, (height, width, 3))
    value = 0.35 + 0.5 * ramp + noise - 0.45 * blob[..., None]
    value[draw.random((height, width)) < 0.03] = 1.0
    return (value.clip(0.0, 1.0) * 255).round().astype(np.uint8)


def processor(config):
    kind = config.get("image_processor_type") or config.get("feature_extractor_type") or "ViTImageProcessor"
    return PROCESSORS[kind](**{key: value for key, value in config.items() if not key.endswith("_type")})


def main(path):
    tensors, configs = {}, {}
    everything = [(*case, None) for case in CASES] + [(*case, True, CORNER) for case in DEFAULTS]
    for seed, (name, height, width, config, keep_pixels, corner) in enumerate(everything):
        image = picture(seed, height, width)
        process = processor(config)
        pixels = np.asarray(process(Image.fromarray(image))["pixel_values"][0])
        seen = np.asarray(process(Image.fromarray(image), do_rescale=False, do_normalize=False)["pixel_values"][0])
        tensors[f"{name}.input"] = image
        tensors[f"{name}.seen"] = np.ascontiguousarray(seen.transpose(1, 2, 0).astype(np.uint8)[:corner, :corner])
        if keep_pixels:
            tensors[f"{name}.pixels"] = np.ascontiguousarray(pixels.astype(np.float32)[:, :corner, :corner])
        configs[name] = json.dumps(config)
    save_file(tensors, path, metadata=configs)


if __name__ == "__main__":
    main(sys.argv[1])

"""Make tiny pipelines with random weights, to try the adapter ``diffusers`` without any download.

    python suites/tiny_pipelines.py FOLDER [NAME ...]

Each is a folder as ``save_pretrained`` writes it, with safetensors of some hundred kilobytes and images of 64 x 64
pixels. They have learned nothing: their images are patterns that follow from the noise and the prompt.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    CMStochasticIterativeScheduler,
    ConsistencyModelPipeline,
    DDIMScheduler,
    DDPMPipeline,
    DDPMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    LatentConsistencyModelPipeline,
    LCMScheduler,
    PixArtAlphaPipeline,
    PixArtTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
    UNet2DModel,
)
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

CHARACTERS = [chr(code) for code in range(33, 127)]
"""What the tokenizers know: prompts are read letter by letter, so that 75 letters fill CLIP's 77 tokens."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to put them")
    parser.add_argument("names", nargs="*", choices=[*MAKERS, []], help=f"of {', '.join(MAKERS)}; all by default")
    arguments = parser.parse_args()
    for name in arguments.names or MAKERS:
        make(name, arguments.folder)


def make(name: str, folder: Path) -> Path:
    """Write one of them, the same each time, to ``folder/name``."""
    path = folder / name
    with torch.random.fork_rng():
        torch.manual_seed(0)
        MAKERS[name](path)
    return path


def stable_diffusion(path: Path) -> None:
    StableDiffusionPipeline(
        vae=vae(),
        text_encoder=CLIPTextModel(clip_config()),
        tokenizer=clip_tokenizer(),
        unet=text_unet(cross_attention_dim=16),
        scheduler=DDIMScheduler(clip_sample=False, **STABLE_DIFFUSION_NOISE),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(path)


def stable_diffusion_lcm_lora(path: Path) -> None:
    """A LoRA for the UNet of ``stable-diffusion``, as LCM-LoRA is one for Stable Diffusion."""
    unet = text_unet(cross_attention_dim=16)
    unet.add_adapter(LoraConfig(r=4, lora_alpha=4, init_lora_weights=False, target_modules=["to_q", "to_k", "to_v"]))
    StableDiffusionPipeline.save_lora_weights(path, unet_lora_layers=get_peft_model_state_dict(unet))


def latent_consistency(path: Path) -> None:
    """A UNet that is told the guidance scale, as distilled ones are."""
    LatentConsistencyModelPipeline(
        vae=vae(),
        text_encoder=CLIPTextModel(clip_config()),
        tokenizer=clip_tokenizer(),
        unet=text_unet(cross_attention_dim=16, time_cond_proj_dim=8),
        scheduler=LCMScheduler(**STABLE_DIFFUSION_NOISE),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(path)


def stable_diffusion_xl(path: Path) -> None:
    unet = text_unet(
        cross_attention_dim=32,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=16 + 6 * 8,
    )
    StableDiffusionXLPipeline(
        vae=vae(),
        text_encoder=CLIPTextModel(clip_config()),
        text_encoder_2=CLIPTextModelWithProjection(clip_config()),
        tokenizer=clip_tokenizer(),
        tokenizer_2=clip_tokenizer(),
        unet=unet,
        scheduler=EulerDiscreteScheduler(**STABLE_DIFFUSION_NOISE),
    ).save_pretrained(path)


def stable_diffusion_3(path: Path) -> None:
    transformer = SD3Transformer2DModel(
        sample_size=8,
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=32,
        caption_projection_dim=16,
        pooled_projection_dim=32,
    )
    StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=vae(shift_factor=0.0),
        text_encoder=CLIPTextModelWithProjection(clip_config()),
        tokenizer=clip_tokenizer(),
        text_encoder_2=CLIPTextModelWithProjection(clip_config()),
        tokenizer_2=clip_tokenizer(),
        text_encoder_3=t5_encoder(32),
        tokenizer_3=t5_tokenizer(),
    ).save_pretrained(path)


def flux(path: Path) -> None:
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=16,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=True,
    )
    FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=vae(shift_factor=0.0),
        text_encoder=CLIPTextModel(clip_config()),
        tokenizer=clip_tokenizer(),
        text_encoder_2=t5_encoder(32),
        tokenizer_2=t5_tokenizer(),
        transformer=transformer,
    ).save_pretrained(path)


def pixart(path: Path) -> None:
    transformer = PixArtTransformer2DModel(
        sample_size=8,
        num_layers=1,
        patch_size=2,
        attention_head_dim=8,
        num_attention_heads=2,
        caption_channels=32,
        in_channels=4,
        cross_attention_dim=16,
        out_channels=8,
    )
    PixArtAlphaPipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=t5_encoder(32),
        vae=vae(),
        transformer=transformer,
        scheduler=DDIMScheduler(),
    ).save_pretrained(path)


def ddpm(path: Path) -> None:
    DDPMPipeline(unet=image_unet(), scheduler=DDPMScheduler()).save_pretrained(path)


def consistency(path: Path) -> None:
    unet = image_unet(num_class_embeds=4)
    ConsistencyModelPipeline(unet=unet, scheduler=CMStochasticIterativeScheduler()).save_pretrained(path)


MAKERS: dict[str, Callable[[Path], None]] = {
    "stable-diffusion": stable_diffusion,
    "stable-diffusion-lcm-lora": stable_diffusion_lcm_lora,
    "latent-consistency": latent_consistency,
    "stable-diffusion-xl": stable_diffusion_xl,
    "stable-diffusion-3": stable_diffusion_3,
    "flux": flux,
    "pixart": pixart,
    "ddpm": ddpm,
    "consistency": consistency,
}
STABLE_DIFFUSION_NOISE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}


def text_unet(cross_attention_dim: int, **more: Any) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(16, 32),
        layers_per_block=1,
        attention_head_dim=8,
        norm_num_groups=8,
        cross_attention_dim=cross_attention_dim,
        **more,
    )


def image_unet(**more: Any) -> UNet2DModel:
    return UNet2DModel(
        sample_size=64,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(8, 16),
        layers_per_block=1,
        attention_head_dim=8,
        norm_num_groups=8,
        **more,
    )


def vae(**more: Any) -> AutoencoderKL:
    """Latents of 4 x 8 x 8 for 64 pixels; the last layer is enlarged so that images have contrast."""
    made = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 16, 16),
        layers_per_block=1,
        norm_num_groups=8,
        sample_size=64,
        **more,
    )
    with torch.no_grad():
        made.decoder.conv_out.weight.mul_(2.0)
    return made


def clip_config() -> CLIPTextConfig:
    tokenizer = clip_tokenizer()
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        projection_dim=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def clip_tokenizer() -> CLIPTokenizer:
    pieces = [*CHARACTERS, *(f"{character}</w>" for character in CHARACTERS), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer({piece: i for i, piece in enumerate(pieces)}, [], model_max_length=77)


def t5_encoder(d_model: int) -> T5EncoderModel:
    config = T5Config(
        vocab_size=len(t5_tokenizer()), d_model=d_model, d_kv=8, d_ff=32, num_layers=1, num_heads=2, is_gated_act=True
    )
    return T5EncoderModel(config)


def t5_tokenizer() -> T5Tokenizer:
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *((c, -3.0) for c in CHARACTERS)]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=512)


if __name__ == "__main__":
    main()

"""The reference networks: torchvision's own, with weights that hide nothing.

A fresh torchvision network is a poor witness. Its BatchNorm does nothing (mean 0, variance 1, gamma 1, beta 0), so that
folding it wrongly goes unseen; the ViT's head is zero, and with it every gradient; ConvNeXt scales each block's branch by
1e-6, so that no rule inside of a block counts. Here every parameter that starts as a constant is drawn at random, and
the moments of each BatchNorm are those of its own input on such pictures, disturbed: activations keep their size through any depth.

One seed gives one network, up to the last bits of the calibration's convolutions.
"""
import dataclasses
import zlib

import torch
import torchvision

SEED = 2205_14851
CLASSES = 1000
IMAGES = 16
CALIBRATION_IMAGES = 8


@dataclasses.dataclass(frozen=True)
class Network:
    """A torchvision classification network for square images."""

    architecture: str
    size: int
    options: dict = dataclasses.field(default_factory=dict)


NETWORKS = {
    'resnet18-112': Network('resnet18', 112),
    'resnet18-224': Network('resnet18', 224),
    'resnet50-112': Network('resnet50', 112),
    'vgg16-224': Network('vgg16', 224),
    'densenet121-224': Network('densenet121', 224),
    'mobilenetv2-224': Network('mobilenet_v2', 224),
    'mobilenetv3-112': Network('mobilenet_v3_large', 112),
    'efficientnetb0-112': Network('efficientnet_b0', 112),
    'shufflenetv2-112': Network('shufflenet_v2_x1_0', 112),
    'googlenet-112': Network('googlenet', 112, {'aux_logits': False, 'init_weights': True}),
    'convnext-tiny-96': Network('convnext_tiny', 96),
    'swin-t-224': Network('swin_t', 224),
    'vit-b16-96': Network('vit_b_16', 96, {'image_size': 96}),
}


def generator_of(*words: str) -> torch.Generator:
    """Random numbers that depend on a name alone."""
    return torch.Generator().manual_seed(SEED ^ zlib.crc32('/'.join(words).encode()))


def _pictures(count: int, size: int, generator: torch.Generator) -> torch.Tensor:
    """[count, 3, size, size]: noise with as much in each octave, as photographs have, of mean 0 and variance 1.

    White noise looks the same everywhere: deep in a network its features hardly vary about their means, and float32
    loses its digits to cancellation.
    """
    octaves = []
    side = 1
    while side < 2 * size:
        noise = torch.randn(count, 3, min(side, size), min(side, size), generator=generator)
        octaves.append(torch.nn.functional.interpolate(noise, (size, size), mode='bilinear'))
        side *= 2
    pictures = torch.stack(octaves).sum(0)
    return (pictures - pictures.mean()) / pictures.std()


def images(name: str) -> torch.Tensor:
    """[IMAGES, 3, size, size]: what the network is run on, here and elsewhere."""
    return _pictures(IMAGES, NETWORKS[name].size, generator_of(name, 'images'))


def labels() -> torch.Tensor:
    """[IMAGES] class indices."""
    return torch.arange(IMAGES) * 37 % CLASSES


@torch.no_grad()
def _draw_constants(network: torch.nn.Module, generator: torch.Generator) -> None:
    def uniform(like: torch.Tensor, low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(like.shape, generator=generator)

    for parameter in network.parameters():
        value = parameter.flatten()[0].item()
        if parameter.numel() == 1 or not bool((parameter == value).all()):
            continue
        if value == 1:  # gamma of a normalisation
            parameter.copy_(uniform(parameter, 0.5, 1.5))
        elif value == 0:  # a bias, a beta, a class token, a head
            std = 0.1 if parameter.dim() == 1 else 0.03
            parameter.copy_(std * torch.randn(parameter.shape, generator=generator))
        else:  # a layer scale
            parameter.copy_(uniform(parameter, 0.2, 0.8))


@torch.no_grad()
def _calibrate(network: torch.nn.Module, size: int, generator: torch.Generator) -> None:
    def moments(norm: torch.nn.BatchNorm2d, inputs: tuple[torch.Tensor]) -> None:
        # In the order of the pass, so that each norm sees what the disturbed ones before it make.
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3))
        # A channel that hardly varies about a large mean would lose its digits to cancellation, in any float32.
        variance = variance + (0.3 * mean) ** 2
        norm.running_mean.copy_(mean + 0.3 * variance.sqrt() * torch.randn(mean.shape, generator=generator))
        norm.running_var.copy_(variance * (0.5 + torch.rand(mean.shape, generator=generator)))

    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    hooks = [norm.register_forward_pre_hook(moments) for norm in norms]
    network(_pictures(CALIBRATION_IMAGES, size, generator))
    for hook in hooks:
        hook.remove()


def build(name: str) -> torch.nn.Module:
    """A network by name, frozen and in inference mode, float32."""
    kind = NETWORKS[name]
    # Initialisers draw from the global generator.
    torch.manual_seed(SEED)
    network = getattr(torchvision.models, kind.architecture)(
        weights=None, num_classes=CLASSES, **kind.options
    )
    network.eval().requires_grad_(False)
    generator = generator_of(name, 'weights')
    _draw_constants(network, generator)
    _calibrate(network, kind.size, generator)
    return network

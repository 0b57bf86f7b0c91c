"""The operations of ``keras.ops`` as Keras 3 files name them: the class of each, and the function that makes it. From Keras 3.15."""

from __future__ import annotations

import re

FUNCTIONS = frozenset("""
abs absolute adaptive_average_pool adaptive_max_pool add all allclose amax amin angle any append arange arccos
arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argpartition argsort array array_split average
average_pool batch_normalization binary_crossentropy bincount bitwise_and bitwise_invert bitwise_left_shift
bitwise_not bitwise_or bitwise_right_shift bitwise_xor broadcast_to cast categorical_crossentropy cbrt cdist
ceil celu cholesky cholesky_inverse clip concatenate conj conjugate conv conv_transpose convert_to_tensor copy
corrcoef correlate cos cosh count_nonzero cross ctc_decode ctc_loss cumprod cumsum deg2rad depth_to_space
depthwise_conv det diag diagflat diagonal diff digitize divide divide_no_nan dot dot_product_attention dsplit
dstack eig eigh einsum elu empty_like equal erf erfc erfinv exp exp2 expand_dims expm1 extract_sequences fabs
fft fft2 flip fliplr flipud floor floor_divide fmax fmin fmod fold full full_like gcd gelu geomspace get_item
glu greater greater_equal hard_shrink hard_sigmoid hard_silu hard_tanh heaviside histogram hsplit hstack hypot
i0 ifft2 imag image.affine_transform image.crop_images image.elastic_transform image.extract_patches
image.gaussian_blur image.hsv_to_rgb image.map_coordinates image.pad_images image.perspective_transform
image.resize image.rgb_to_grayscale image.rgb_to_hsv image.scale_and_translate image.sobel_edges image.ssim
in_top_k inner inv irfft isclose isfinite isin isinf isnan isneginf isposinf isreal istft jvp kron
layer_normalization lcm ldexp leaky_relu left_shift less less_equal linspace log log10 log1p log2 log_sigmoid
log_softmax logaddexp logaddexp2 logdet logical_and logical_not logical_or logical_xor logspace logsumexp
lstsq lu_factor matmul matrix_rank max max_pool maximum mean median meshgrid min minimum mod moments moveaxis
multi_hot multiply nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin
nanpercentile nanprod nanquantile nanstd nansum nanvar ndim negative nextafter nonzero norm normalize
not_equal one_hot ones_like outer pad percentile pinv polar power prod psnr ptp qr quantile rad2deg ravel real
reciprocal relu relu6 repeat reshape rfft right_shift rms_normalization roll rot90 round rsqrt saturate_cast
scatter scatter_update searchsorted segment_max segment_min segment_prod segment_sum select selu
separable_conv sigmoid sign signbit silu sin sinc sinh size slice slice_update slogdet soft_shrink softmax
softplus softsign solve solve_triangular sort space_to_depth sparse_categorical_crossentropy sparse_plus
sparse_sigmoid sparsemax split sqrt square squareplus squeeze stack std stft stop_gradient subtract sum svd
swapaxes take take_along_axis tan tanh tanh_shrink tensordot threshold tile top_k trace transpose trapezoid
tril triu true_divide trunc unfold unique unravel_index unstack vander var vdot view view_as_complex
view_as_real vsplit vstack where zeros_like
""".split())
_OTHERWISE = {
    "AllClose": "allclose",
    "BatchNorm": "batch_normalization",
    "CDist": "cdist",
    "IsIn": "isin",
    "LayerNorm": "layer_normalization",
    "RMSNorm": "rms_normalization",
    "SearchSorted": "searchsorted",
}


def function_of(class_name: str) -> str | None:
    """The function of ``keras.ops`` that the operation of a class is; None where there is none.

    >>> function_of("ExpandDims"), function_of("Resize"), function_of("Mine")
    ('expand_dims', 'image.resize', None)
    """
    name = _OTHERWISE.get(class_name) or snake_case(class_name)
    return next((n for n in (name, f"image.{name}") if n in FUNCTIONS), None)


def snake_case(class_name: str) -> str:
    """The name that Keras gives the first object of a class (``keras.src.utils.naming.to_snake_case``).

    >>> snake_case("Conv2D"), snake_case("PReLU"), snake_case("BatchNormalization")
    ('conv2d', 'p_re_lu', 'batch_normalization')
    """
    name = re.sub(r"\W+", "", class_name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()

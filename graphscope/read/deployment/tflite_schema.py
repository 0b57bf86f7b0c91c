"""TensorFlow Lite's operators, tensor types and operator options: what ``formats/tflite.py`` reads by.

Written by ``tools/make_tflite_schema.py`` from the schema in TensorFlow 2.21; a test holds it against TensorFlow's own.
An options line is ``number Name: field kind place; ...``: the place is that of the field in the FlatBuffers table; ``=1``: what it is where a file leaves it out.
"""

OPERATORS = """
ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR
    FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC
    LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX
    SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD
    UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE
    UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX
    DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER
    GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL
    LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND
    LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE
    RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N
    GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF
    WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL
    PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS
    HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE
    READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL
    GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM
    ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT STABLEHLO_LOGISTIC STABLEHLO_ADD
    STABLEHLO_DIVIDE STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP
    STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION STABLEHLO_SLICE
    STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE STABLEHLO_ABS STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL
    STABLEHLO_FLOOR STABLEHLO_LOG STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER
    STABLEHLO_REMAINDER STABLEHLO_RSQRT STABLEHLO_SELECT STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER
    STABLEHLO_COMPARE STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD
    STABLEHLO_IOTA STABLEHLO_DOT_GENERAL STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT STABLEHLO_WHILE
    STABLEHLO_GATHER STABLEHLO_TRANSPOSE DILATE STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW STABLEHLO_COMPOSITE
    STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT STABLEHLO_CASE
"""
TENSOR_TYPES = """
FLOAT32 FLOAT16 INT32 UINT8 INT64 STRING BOOL INT16 COMPLEX64 INT8 FLOAT64 COMPLEX128 UINT64 RESOURCE VARIANT
    UINT32 UINT16 INT4 BFLOAT16 INT2 UINT4
"""

# codes of padding, activation functions
PADDING = ("SAME", "VALID")
ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")
OPTIONS = """
1 Conv2DOptions: padding i8 0; stride_w i32 1; stride_h i32 2; fused_activation_function i8 3;
    dilation_w_factor i32 4=1; dilation_h_factor i32 5=1; quantized_bias_type i8 6
2 DepthwiseConv2DOptions: padding i8 0; stride_w i32 1; stride_h i32 2; depth_multiplier i32 3;
    fused_activation_function i8 4; dilation_w_factor i32 5=1; dilation_h_factor i32 6=1
3 ConcatEmbeddingsOptions: num_channels i32 0; num_columns_per_channel i32* 1; embedding_dim_per_channel i32*
    2
4 LSHProjectionOptions: type i8 0
5 Pool2DOptions: padding i8 0; stride_w i32 1; stride_h i32 2; filter_width i32 3; filter_height i32 4;
    fused_activation_function i8 5
6 SVDFOptions: rank i32 0; fused_activation_function i8 1; asymmetric_quantize_inputs bool 2
7 RNNOptions: fused_activation_function i8 0; asymmetric_quantize_inputs bool 1
8 FullyConnectedOptions: fused_activation_function i8 0; weights_format i8 1; keep_num_dims bool 2;
    asymmetric_quantize_inputs bool 3; quantized_bias_type i8 4
9 SoftmaxOptions: beta f32 0
10 ConcatenationOptions: axis i32 0; fused_activation_function i8 1
11 AddOptions: fused_activation_function i8 0; pot_scale_int16 bool 1=1
12 L2NormOptions: fused_activation_function i8 0
13 LocalResponseNormalizationOptions: radius i32 0; bias f32 1; alpha f32 2; beta f32 3
14 LSTMOptions: fused_activation_function i8 0; cell_clip f32 1; proj_clip f32 2; kernel_type i8 3;
    asymmetric_quantize_inputs bool 4
15 ResizeBilinearOptions: align_corners bool 2; half_pixel_centers bool 3
16 CallOptions: subgraph u32 0
17 ReshapeOptions: new_shape i32* 0
18 SkipGramOptions: ngram_size i32 0; max_skip_size i32 1; include_all_ngrams bool 2
19 SpaceToDepthOptions: block_size i32 0
20 EmbeddingLookupSparseOptions: combiner i8 0
21 MulOptions: fused_activation_function i8 0
23 GatherOptions: axis i32 0; batch_dims i32 1
27 ReducerOptions: keep_dims bool 0
28 SubOptions: fused_activation_function i8 0; pot_scale_int16 bool 1=1
29 DivOptions: fused_activation_function i8 0
30 SqueezeOptions: squeeze_dims i32* 0
31 SequenceRNNOptions: time_major bool 0; fused_activation_function i8 1; asymmetric_quantize_inputs bool 2
32 StridedSliceOptions: begin_mask i32 0; end_mask i32 1; ellipsis_mask i32 2; new_axis_mask i32 3;
    shrink_axis_mask i32 4; offset bool 5
35 SplitOptions: num_splits i32 0
37 CastOptions: in_data_type i8 0; out_data_type i8 1
40 ArgMaxOptions: output_type i8 0
49 TransposeConvOptions: padding i8 0; stride_w i32 1; stride_h i32 2; fused_activation_function i8 3;
    quantized_bias_type i8 4
50 SparseToDenseOptions: validate_indices bool 0
55 ShapeOptions: out_type i8 0
57 ArgMinOptions: output_type i8 0
58 FakeQuantOptions: min f32 0; max f32 1; num_bits i32 2; narrow_range bool 3
59 PackOptions: values_count i32 0; axis i32 1
61 OneHotOptions: axis i32 0
64 UnpackOptions: num i32 0; axis i32 1
69 BidirectionalSequenceLSTMOptions: fused_activation_function i8 0; cell_clip f32 1; proj_clip f32 2;
    merge_outputs bool 3; time_major bool 4=1; asymmetric_quantize_inputs bool 5
70 BidirectionalSequenceRNNOptions: time_major bool 0; fused_activation_function i8 1; merge_outputs bool 2;
    asymmetric_quantize_inputs bool 3
71 UnidirectionalSequenceLSTMOptions: fused_activation_function i8 0; cell_clip f32 1; proj_clip f32 2;
    time_major bool 3; asymmetric_quantize_inputs bool 4; diagonal_recurrent_tensors bool 5
74 ResizeNearestNeighborOptions: align_corners bool 0; half_pixel_centers bool 1
75 LeakyReluOptions: alpha f32 0
77 MirrorPadOptions: mode i8 0
79 SplitVOptions: num_splits i32 0
80 UniqueOptions: idx_out_type i8 0=2
87 ReverseSequenceOptions: seq_dim i32 0; batch_dim i32 1
92 IfOptions: then_subgraph_index i32 0; else_subgraph_index i32 1
93 WhileOptions: cond_subgraph_index i32 0; body_subgraph_index i32 1
94 DepthToSpaceOptions: block_size i32 0
101 BatchMatMulOptions: adj_x bool 0; adj_y bool 1; asymmetric_quantize_inputs bool 2
102 CumsumOptions: exclusive bool 0; reverse bool 1
103 CallOnceOptions: init_subgraph_index i32 0
106 Conv3DOptions: padding i8 0; stride_d i32 1; stride_w i32 2; stride_h i32 3; fused_activation_function i8
    4; dilation_d_factor i32 5=1; dilation_w_factor i32 6=1; dilation_h_factor i32 7=1
107 HashtableOptions: table_id i32 0; key_dtype i8 1; value_dtype i8 2
111 VarHandleOptions: container str 0; shared_name str 1
114 RandomOptions: seed i64 0; seed2 i64 1
115 BucketizeOptions: boundaries f32* 0
116 GeluOptions: approximate bool 0
"""

"""TensorFlow's messages and enums, field for field: what ``messages.py`` declares.

One message a paragraph: ``Name: field type number [oneof]; ...``; ``type*`` is repeated, ``map<key,value>`` a map.
Nested names are written flat (``AttrValue.ListValue`` is ``AttrValue_ListValue``): the wire format knows no names.
Source: the .proto files of TensorFlow 2.21; ``tests/wire/test_messages.py`` holds this table against TensorFlow's own.
"""

MESSAGES = """
GraphDef: node NodeDef* 1; versions VersionDef 4; version int32 3; library FunctionDefLibrary 2; debug_info
    GraphDebugInfo 5
NodeDef: name string 1; op string 2; input string* 3; device string 4; attr map<string,AttrValue> 5;
    experimental_debug_info NodeDef_ExperimentalDebugInfo 6; experimental_type FullTypeDef 7
AttrValue: s bytes 2 value; i int64 3 value; f float 4 value; b bool 5 value; type DataType 6 value; shape
    TensorShapeProto 7 value; tensor TensorProto 8 value; list AttrValue_ListValue 1 value; func NameAttrList
    10 value; placeholder string 9 value
TensorShapeProto: dim TensorShapeProto_Dim* 2; unknown_rank bool 3
TensorShapeProto_Dim: size int64 1; name string 2
TensorProto: dtype DataType 1; tensor_shape TensorShapeProto 2; version_number int32 3; tensor_content bytes
    4; half_val int32* 13; float_val float* 5; double_val double* 6; int_val int32* 7; string_val bytes* 8;
    scomplex_val float* 9; int64_val int64* 10; bool_val bool* 11; dcomplex_val double* 12;
    resource_handle_val ResourceHandleProto* 14; variant_val VariantTensorDataProto* 15; uint32_val uint32*
    16; uint64_val uint64* 17; float8_val bytes 18
ResourceHandleProto: device string 1; container string 2; name string 3; hash_code uint64 4; maybe_type_name
    string 5; dtypes_and_shapes ResourceHandleProto_DtypeAndShape* 6
ResourceHandleProto_DtypeAndShape: dtype DataType 1; shape TensorShapeProto 2
VariantTensorDataProto: type_name string 1; metadata bytes 2; tensors TensorProto* 3
AttrValue_ListValue: s bytes* 2; i int64* 3; f float* 4; b bool* 5; type DataType* 6; shape TensorShapeProto*
    7; tensor TensorProto* 8; func NameAttrList* 9
NameAttrList: name string 1; attr map<string,AttrValue> 2
NodeDef_ExperimentalDebugInfo: original_node_names string* 1; original_func_names string* 2
FullTypeDef: type_id FullTypeId 1; args FullTypeDef* 2; s string 3 attr; i int64 4 attr
VersionDef: producer int32 1; min_consumer int32 2; bad_consumers int32* 3
FunctionDefLibrary: function FunctionDef* 1; gradient GradientDef* 2; registered_gradients RegisteredGradient*
    3
FunctionDef: signature OpDef 1; attr map<string,AttrValue> 5; arg_attr map<uint32,FunctionDef_ArgAttrs> 7;
    resource_arg_unique_id map<uint32,uint32> 8; node_def NodeDef* 3; ret map<string,string> 4; control_ret
    map<string,string> 6
OpDef: name string 1; input_arg OpDef_ArgDef* 2; output_arg OpDef_ArgDef* 3; control_output string* 20; attr
    OpDef_AttrDef* 4; deprecation OpDeprecation 8; summary string 5; description string 6; is_commutative bool
    18; is_aggregate bool 16; is_stateful bool 17; allows_uninitialized_input bool 19;
    is_distributed_communication bool 21
OpDef_ArgDef: name string 1; description string 2; type DataType 3; type_attr string 4; number_attr string 5;
    type_list_attr string 6; handle_data ResourceHandleProto_DtypeAndShape* 7; is_ref bool 16;
    experimental_full_type FullTypeDef 17
OpDef_AttrDef: name string 1; type string 2; default_value AttrValue 3; description string 4; has_minimum bool
    5; minimum int64 6; allowed_values AttrValue 7
OpDeprecation: version int32 1; explanation string 2
FunctionDef_ArgAttrs: attr map<string,AttrValue> 1
GradientDef: function_name string 1; gradient_func string 2
RegisteredGradient: gradient_func string 1; registered_op_type string 2
GraphDebugInfo: files string* 1; frames_by_id map<fixed64,GraphDebugInfo_FileLineCol> 4; traces_by_id
    map<fixed64,GraphDebugInfo_StackTrace> 6; traces map<string,GraphDebugInfo_StackTrace> 2; name_to_trace_id
    map<string,fixed64> 5
GraphDebugInfo_FileLineCol: file_index int32 1; line int32 2; col int32 3; func string 4; code string 5
GraphDebugInfo_StackTrace: file_line_cols GraphDebugInfo_FileLineCol* 1; frame_id fixed64* 2
MetaGraphDef: meta_info_def MetaGraphDef_MetaInfoDef 1; graph_def GraphDef 2; saver_def SaverDef 3;
    collection_def map<string,CollectionDef> 4; signature_def map<string,SignatureDef> 5; asset_file_def
    AssetFileDef* 6; object_graph_def SavedObjectGraph 7
MetaGraphDef_MetaInfoDef: meta_graph_version string 1; stripped_op_list OpList 2; any_info Any 3; tags string*
    4; tensorflow_version string 5; tensorflow_git_version string 6; stripped_default_attrs bool 7;
    function_aliases map<string,string> 8
OpList: op OpDef* 1
Any: type_url string 1; value bytes 2
SaverDef: filename_tensor_name string 1; save_tensor_name string 2; restore_op_name string 3; max_to_keep
    int32 4; sharded bool 5; keep_checkpoint_every_n_hours float 6; version SaverDef_CheckpointFormatVersion 7
CollectionDef: node_list CollectionDef_NodeList 1 kind; bytes_list CollectionDef_BytesList 2 kind; int64_list
    CollectionDef_Int64List 3 kind; float_list CollectionDef_FloatList 4 kind; any_list CollectionDef_AnyList
    5 kind
CollectionDef_NodeList: value string* 1
CollectionDef_BytesList: value bytes* 1
CollectionDef_Int64List: value int64* 1
CollectionDef_FloatList: value float* 1
CollectionDef_AnyList: value Any* 1
SignatureDef: inputs map<string,TensorInfo> 1; outputs map<string,TensorInfo> 2; method_name string 3;
    defaults map<string,TensorProto> 4
TensorInfo: name string 1 encoding; coo_sparse TensorInfo_CooSparse 4 encoding; composite_tensor
    TensorInfo_CompositeTensor 5 encoding; dtype DataType 2; tensor_shape TensorShapeProto 3
TensorInfo_CooSparse: values_tensor_name string 1; indices_tensor_name string 2; dense_shape_tensor_name
    string 3
TensorInfo_CompositeTensor: type_spec TypeSpecProto 1; components TensorInfo* 2
TypeSpecProto: type_spec_class TypeSpecProto_TypeSpecClass 1; type_state StructuredValue 2;
    type_spec_class_name string 3; num_flat_components int32 4
StructuredValue: none_value NoneValue 1 kind; float64_value double 11 kind; int64_value sint64 12 kind;
    string_value string 13 kind; bool_value bool 14 kind; tensor_shape_value TensorShapeProto 31 kind;
    tensor_dtype_value DataType 32 kind; tensor_spec_value TensorSpecProto 33 kind; type_spec_value
    TypeSpecProto 34 kind; bounded_tensor_spec_value BoundedTensorSpecProto 35 kind; list_value ListValue 51
    kind; tuple_value TupleValue 52 kind; dict_value DictValue 53 kind; named_tuple_value NamedTupleValue 54
    kind; tensor_value TensorProto 55 kind; numpy_value TensorProto 56 kind
NoneValue:
TensorSpecProto: name string 1; shape TensorShapeProto 2; dtype DataType 3
BoundedTensorSpecProto: name string 1; shape TensorShapeProto 2; dtype DataType 3; minimum TensorProto 4;
    maximum TensorProto 5
ListValue: values StructuredValue* 1
TupleValue: values StructuredValue* 1
DictValue: fields map<string,StructuredValue> 1
NamedTupleValue: name string 1; values PairValue* 2
PairValue: key string 1; value StructuredValue 2
AssetFileDef: tensor_info TensorInfo 1; filename string 2
SavedObjectGraph: nodes SavedObject* 1; concrete_functions map<string,SavedConcreteFunction> 2
SavedObject: children TrackableObjectGraph_TrackableObject_ObjectReference* 1; dependencies
    TrackableObjectGraph_TrackableObject_ObjectReference* 15; slot_variables
    TrackableObjectGraph_TrackableObject_SlotVariableReference* 3; user_object SavedUserObject 4 kind; asset
    SavedAsset 5 kind; function SavedFunction 6 kind; variable SavedVariable 7 kind; bare_concrete_function
    SavedBareConcreteFunction 8 kind; constant SavedConstant 9 kind; resource SavedResource 10 kind;
    captured_tensor CapturedTensor 12 kind; saveable_objects map<string,SaveableObject> 11; registered_name
    string 13; serialized_user_proto Any 14; registered_saver string 16
TrackableObjectGraph_TrackableObject_ObjectReference: node_id int32 1; local_name string 2
TrackableObjectGraph_TrackableObject_SlotVariableReference: original_variable_node_id int32 1; slot_name
    string 2; slot_variable_node_id int32 3
SavedUserObject: identifier string 1; version VersionDef 2; metadata string 3
SavedAsset: asset_file_def_index int32 1
SavedFunction: concrete_functions string* 1; function_spec FunctionSpec 2
FunctionSpec: fullargspec StructuredValue 1; is_method bool 2; input_signature StructuredValue 5; jit_compile
    FunctionSpec_JitCompile 6
SavedVariable: dtype DataType 1; shape TensorShapeProto 2; trainable bool 3; synchronization
    VariableSynchronization 4; aggregation VariableAggregation 5; name string 6; device string 7;
    experimental_distributed_variable_components SavedVariable* 8
SavedBareConcreteFunction: concrete_function_name string 1; argument_keywords string* 2;
    allowed_positional_arguments int64 3; function_spec FunctionSpec 4
SavedConstant: operation string 1
SavedResource: device string 1
CapturedTensor: name string 1; concrete_function string 2
SaveableObject: save_function int32 2; restore_function int32 3
SavedConcreteFunction: bound_inputs int32* 2; canonicalized_input_signature StructuredValue 3;
    output_signature StructuredValue 4
SavedModel: saved_model_schema_version int64 1; meta_graphs MetaGraphDef* 2
TrackableObjectGraph: nodes TrackableObjectGraph_TrackableObject* 1
TrackableObjectGraph_TrackableObject: children TrackableObjectGraph_TrackableObject_ObjectReference* 1;
    attributes TrackableObjectGraph_TrackableObject_SerializedTensor* 2; slot_variables
    TrackableObjectGraph_TrackableObject_SlotVariableReference* 3; registered_saver RegisteredSaver 4;
    has_checkpoint_values BoolValue 5
TrackableObjectGraph_TrackableObject_SerializedTensor: name string 1; full_name string 2; checkpoint_key
    string 3
RegisteredSaver: name string 1; object_name string 2
BoolValue: value bool 1
CheckpointState: model_checkpoint_path string 1; all_model_checkpoint_paths string* 2;
    all_model_checkpoint_timestamps double* 3; last_preserved_timestamp double 4
Signatures: default_signature Signature 1; named_signatures map<string,Signature> 2
Signature: regression_signature RegressionSignature 1 type; classification_signature ClassificationSignature 2
    type; generic_signature GenericSignature 3 type
RegressionSignature: input TensorBinding 1; output TensorBinding 2
ClassificationSignature: input TensorBinding 1; classes TensorBinding 2; scores TensorBinding 3
TensorBinding: tensor_name string 1
AssetFile: tensor_binding TensorBinding 1; filename string 2
GenericSignature: map map<string,TensorBinding> 1
BundleHeaderProto: num_shards int32 1; endianness BundleHeaderProto_Endianness 2; version VersionDef 3
BundleEntryProto: dtype DataType 1; shape TensorShapeProto 2; shard_id int32 3; offset int64 4; size int64 5;
    crc32c fixed32 6; slices TensorSliceProto* 7
TensorSliceProto: extent TensorSliceProto_Extent* 1
TensorSliceProto_Extent: start int64 1; length int64 2 has_length_hack
QueueRunnerDef: queue_name string 1; enqueue_op_name string* 2; close_op_name string 3; cancel_op_name string
    4; queue_closed_exception_types error_Code* 5
CondContextDef: context_name string 1; pred_name string 2; pivot_name string 3; branch int32 4; values_def
    ValuesDef 5; nested_contexts ControlFlowContextDef* 6
ValuesDef: values string* 1; external_values map<string,string> 2
ControlFlowContextDef: cond_ctxt CondContextDef 1 ctxt; while_ctxt WhileContextDef 2 ctxt
WhileContextDef: context_name string 1; parallel_iterations int32 2; back_prop bool 3; swap_memory bool 4;
    pivot_name string 5; pivot_for_pred_name string 6; pivot_for_body_name string 7; loop_exit_names string*
    8; loop_enter_names string* 10; values_def ValuesDef 9; maximum_iterations_name string 11; nested_contexts
    ControlFlowContextDef* 12
VariableDef: variable_name string 1; initial_value_name string 6; initializer_name string 2; snapshot_name
    string 3; save_slice_info_def SaveSliceInfoDef 4; is_resource bool 5; trainable bool 7; synchronization
    VariableSynchronization 8; aggregation VariableAggregation 9
SaveSliceInfoDef: full_name string 1; full_shape int64* 2; var_offset int64* 3; var_shape int64* 4
SavedTensorSlices: meta SavedTensorSliceMeta 1; data SavedSlice 2
SavedTensorSliceMeta: tensor SavedSliceMeta* 1; versions VersionDef 2
SavedSliceMeta: name string 1; shape TensorShapeProto 2; type DataType 3; slice TensorSliceProto* 4
SavedSlice: name string 1; slice TensorSliceProto 2; data TensorProto 3
"""

# The reference twin of a data type is its number plus 100; ``messages.py`` adds those.
ENUMS = """
DataType: DT_INVALID 0; DT_FLOAT 1; DT_DOUBLE 2; DT_INT32 3; DT_UINT8 4; DT_INT16 5; DT_INT8 6; DT_STRING 7;
    DT_COMPLEX64 8; DT_INT64 9; DT_BOOL 10; DT_QINT8 11; DT_QUINT8 12; DT_QINT32 13; DT_BFLOAT16 14; DT_QINT16
    15; DT_QUINT16 16; DT_UINT16 17; DT_COMPLEX128 18; DT_HALF 19; DT_RESOURCE 20; DT_VARIANT 21; DT_UINT32
    22; DT_UINT64 23; DT_FLOAT8_E5M2 24; DT_FLOAT8_E4M3FN 25; DT_FLOAT8_E4M3FNUZ 26; DT_FLOAT8_E4M3B11FNUZ 27;
    DT_FLOAT8_E5M2FNUZ 28; DT_INT4 29; DT_UINT4 30; DT_INT2 31; DT_UINT2 32; DT_FLOAT4_E2M1FN 33
FullTypeId: TFT_UNSET 0; TFT_VAR 1; TFT_ANY 2; TFT_PRODUCT 3; TFT_NAMED 4; TFT_FOR_EACH 20; TFT_CALLABLE 100;
    TFT_TENSOR 1000; TFT_ARRAY 1001; TFT_OPTIONAL 1002; TFT_LITERAL 1003; TFT_ENCODED 1004; TFT_SHAPE_TENSOR
    1005; TFT_BOOL 200; TFT_UINT8 201; TFT_UINT16 202; TFT_UINT32 203; TFT_UINT64 204; TFT_INT8 205; TFT_INT16
    206; TFT_INT32 207; TFT_INT64 208; TFT_HALF 209; TFT_FLOAT 210; TFT_DOUBLE 211; TFT_BFLOAT16 215;
    TFT_COMPLEX64 212; TFT_COMPLEX128 213; TFT_STRING 214; TFT_DATASET 10102; TFT_RAGGED 10103; TFT_ITERATOR
    10104; TFT_MUTEX_LOCK 10202; TFT_LEGACY_VARIANT 10203
SaverDef_CheckpointFormatVersion: LEGACY 0; V1 1; V2 2
TypeSpecProto_TypeSpecClass: UNKNOWN 0; SPARSE_TENSOR_SPEC 1; INDEXED_SLICES_SPEC 2; RAGGED_TENSOR_SPEC 3;
    TENSOR_ARRAY_SPEC 4; DATA_DATASET_SPEC 5; DATA_ITERATOR_SPEC 6; OPTIONAL_SPEC 7; PER_REPLICA_SPEC 8;
    VARIABLE_SPEC 9; ROW_PARTITION_SPEC 10; REGISTERED_TYPE_SPEC 12; EXTENSION_TYPE_SPEC 13
FunctionSpec_JitCompile: DEFAULT 0; ON 1; OFF 2
VariableSynchronization: VARIABLE_SYNCHRONIZATION_AUTO 0; VARIABLE_SYNCHRONIZATION_NONE 1;
    VARIABLE_SYNCHRONIZATION_ON_WRITE 2; VARIABLE_SYNCHRONIZATION_ON_READ 3
VariableAggregation: VARIABLE_AGGREGATION_NONE 0; VARIABLE_AGGREGATION_SUM 1; VARIABLE_AGGREGATION_MEAN 2;
    VARIABLE_AGGREGATION_ONLY_FIRST_REPLICA 3
BundleHeaderProto_Endianness: LITTLE 0; BIG 1
error_Code: OK 0; CANCELLED 1; UNKNOWN 2; INVALID_ARGUMENT 3; DEADLINE_EXCEEDED 4; NOT_FOUND 5; ALREADY_EXISTS
    6; PERMISSION_DENIED 7; UNAUTHENTICATED 16; RESOURCE_EXHAUSTED 8; FAILED_PRECONDITION 9; ABORTED 10;
    OUT_OF_RANGE 11; UNIMPLEMENTED 12; INTERNAL 13; UNAVAILABLE 14; DATA_LOSS 15;
    DO_NOT_USE_RESERVED_FOR_FUTURE_EXPANSION_USE_DEFAULT_IN_SWITCH_INSTEAD_ 20
"""

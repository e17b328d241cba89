{# From what a source delivered to the contract's types. Columns that arrive typed pass through; text must fit. #}

{% macro lineage_columns() %}
    {{- return(['_source', '_file_hash', '_row_number', '_file_date', '_landed_date', '_raw_table']) -}}
{% endmacro %}

{# Name to type of a relation's columns; empty while dbt only parses. #}
{% macro types_of(relation) %}
    {%- set types = {} -%}
    {%- if execute -%}
        {%- for column in get_columns_in_relation(relation) -%}
            {%- do types.update({column.name: type_name(column)}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(types) -}}
{% endmacro %}

{# The source's own columns, which flow through. #}
{% macro extra_columns(types) %}
    {%- set names = [] -%}
    {%- for name in types if name.startswith('x_') -%}
        {%- do names.append(name) -%}
    {%- endfor -%}
    {{- return(names) -}}
{% endmacro %}

{% macro is_text_type(type) %}
    {{- return(type.split('(')[0] in ('varchar', 'text', 'string', 'char', 'bpchar', 'character varying')) -}}
{% endmacro %}

{# How a landed column becomes its contract column: the SQL, and whether every value is sure to fit. #}
{% macro conversion(column, types) %}
    {%- set name, wanted = column['name'], column['sql_type'] -%}
    {%- set type = types.get(name, 'varchar') -%}
    {%- set numbers = ('tinyint', 'smallint', 'integer', 'bigint', 'utinyint', 'usmallint', 'uinteger') -%}
    {%- if is_text_type(type) and column['type'] == 'text' -%}
        {{- return({'sql': "nullif(" ~ name ~ ", '')", 'is_safe': true}) -}}
    {%- elif is_text_type(type) -%}
        {{- return({'sql': fitting("nullif(" ~ name ~ ", '')", wanted) | trim, 'is_safe': false}) -}}
    {%- elif type == wanted or (type, wanted) == ('timestamp without time zone', 'timestamp') -%}
        {{- return({'sql': name, 'is_safe': true}) -}}
    {%- elif type == 'timestamp with time zone' and column['type'] in ('timestamp', 'date') -%}
        {{- return({'sql': "cast(timezone('UTC', " ~ name ~ ') as ' ~ wanted ~ ')', 'is_safe': true}) -}}
    {%- elif column['type'] == 'text'
        or (column['type'] in ('timestamp', 'date') and type.split('_')[0] in ('timestamp', 'date'))
        or (column['type'] == 'integer' and type in numbers) -%}
        {{- return({'sql': 'cast(' ~ name ~ ' as ' ~ wanted ~ ')', 'is_safe': true}) -}}
    {%- elif column['type'] in ('decimal', 'integer') -%}
        {{- return({'sql': fitting(name, wanted) | trim, 'is_safe': false}) -}}
    {%- else -%}
        {{- return({'sql': fitting('cast(' ~ name ~ ' as varchar)', wanted) | trim, 'is_safe': false}) -}}
    {%- endif -%}
{% endmacro %}

{# The contract column: converted, and its default where the source left it empty. #}
{% macro fitted_column(column, types) -%}
    {%- set converted = conversion(column, types)['sql'] -%}
    {%- if column['default'] is none -%} {{ converted }}
    {%- elif column['default'] is string -%} coalesce({{ converted }}, '{{ column['default'] }}')
    {%- else -%} cast(coalesce({{ converted }}, {{ column['default'] | lower }}) as {{ column['sql_type'] }})
    {%- endif -%}
{%- endmacro %}

{# What makes two rows the same row, out of a relation whose columns are not fitted yet. #}
{% macro fitted_identity(contract, types) %}
    {%- set fitted = [] -%}
    {%- for name in row_identity(contract) -%}
        {%- do fitted.append(fitted_column(contract['columns'] | selectattr('name', 'equalto', name) | first, types)) -%}
    {%- endfor -%}
    {{- return(fitted) -}}
{% endmacro %}

{# The columns whose landed text must be kept beside the fitted value, because it may not fit. #}
{% macro columns_that_may_misfit(columns, types) %}
    {%- set names = [] -%}
    {%- for column in columns if '_given_' ~ column['name'] in types or not conversion(column, types)['is_safe'] -%}
        {%- do names.append(column['name']) -%}
    {%- endfor -%}
    {{- return(names) -}}
{% endmacro %}

{% macro given_text(name, types) -%}
    {%- if '_given_' ~ name in types -%} _given_{{ name }}
    {%- elif is_text_type(types.get(name, 'varchar')) -%} nullif({{ name }}, '')
    {%- else -%} cast({{ name }} as varchar)
    {%- endif -%}
{%- endmacro %}

{# Staging shows what the checks accepted: the contract's columns in order, the source's own, and where the row lies. #}
{% macro staged_rows(table) %}
{%- set columns = contract_tables()[table]['columns'] | map(attribute='name') | list -%}
{%- set own = extra_columns(types_of(source('landed', table))) -%}
select
    {{ (columns + own + ['_source', '_file_hash', '_row_number']) | join(',\n    ') }}
from {{ ref('chk_' ~ table) }}
where _is_current
{% endmacro %}

{# History of a thing that arrives as versions: who was what, when. Plain windows, so that the order of arrival never matters. #}

{# Before everything, and after it: the ends of a history, so that a join on a moment always finds its version. #}
{% macro beginning() -%} timestamp '1900-01-01 00:00:00' {%- endmacro %}
{% macro forever() -%} timestamp '9999-12-31 00:00:00' {%- endmacro %}

{# The versions of `id` in a staging model: a row where an attribute changed, valid from `valid_from_at` to before `valid_to_at`.
   Consecutive equal versions are one; the first reaches back to the beginning.
   A gap-less history per id: valid_to_at = the next valid_from_at. #}
{% macro versions_of(relation, id, attributes) -%}
    select
        store_id,
        {{ id }},
        {{ attributes | join(',\n        ') }},
        case when version_number = 1 then {{ beginning() }} else seen_at end as valid_from_at,
        coalesce(lead(seen_at) over (partition by store_id, {{ id }} order by version_number), {{ forever() }}) as valid_to_at
    from (
        select
            *,
            coalesce(updated_at, {{ beginning() }}) as seen_at,
            row_number() over arrived as version_number
            {%- for attribute in attributes %},
            lag({{ attribute }}) over arrived as previous_{{ attribute }}
            {%- endfor %}
        from {{ relation }}
        window arrived as (partition by store_id, {{ id }} order by updated_at nulls first, _file_hash, _row_number)
    ) as seen
    where
        version_number = 1
        {%- for attribute in attributes %}
        or {{ attribute }} is distinct from previous_{{ attribute }}
        {%- endfor %}
{%- endmacro %}

{# The ids that `tables` mention, for a dimension whose own table is `own`. What is kept was found before: then only ids are looked
   for that rows mention which came or went, and those that were known by such rows alone. #}
{% macro mentioned_members(id, tables, own) -%}
{%- if is_kept() or not execute -%}
unsure as (

    {% for table in tables + [own] -%}
    select store_id, {{ id }} from {{ changed('chk_' ~ table) }}
    union
    {% endfor -%}
    select store_id, {{ id }} from {{ this }} where is_inferred
    except
    select store_id, {{ id }} from versions

),

{% endif -%}
mentioned as (

    {% for table in tables -%}
    select store_id, {{ id }} from {{ ref('stg_' ~ table) }} as rows
    where {{ id }} is not null and {{ is_asked_for('rows', ['store_id', id], 'unsure') }}
    {{ 'union' if not loop.last }}
    {% endfor %}

),
{%- endmacro %}

{# A dated value (cost, price): valid from `valid_from_at` to before `valid_to_at`, where the next one starts. #}
{% macro dated_values(relation, value) -%}
    select
        store_id,
        product_id,
        {{ value }},
        coalesce(currency, '{{ var("reporting_currency") }}') as currency,
        valid_from as valid_from_at,
        coalesce(lead(valid_from) over (partition by store_id, product_id order by valid_from), {{ forever() }}) as valid_to_at
    from {{ relation }}
{%- endmacro %}

{# Was the version on the right the one at the moment? #}
{% macro valid_at(version, moment) -%}
    {{ version }}.valid_from_at <= {{ moment }} and {{ moment }} < {{ version }}.valid_to_at
{%- endmacro %}

{# A text as it is sorted: by its bytes on every engine, so that the same lines stand in the same order everywhere. #}
{% macro sortable(text) -%}
    {{ return(adapter.dispatch('sortable', 'marginwise')(text)) }}
{%- endmacro %}
{% macro duckdb__sortable(text) -%} {{ text }} {%- endmacro %}
{% macro postgres__sortable(text) -%} ({{ text }} collate "C") {%- endmacro %}

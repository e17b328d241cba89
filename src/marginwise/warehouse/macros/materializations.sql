{# DuckDB replaces a table or view in one statement, which is a transaction of its own: no relation beside it has to be made and
   renamed, and nothing has to be begun; only what was begun to compile it is committed. #}

{% materialization table, adapter='duckdb' %}
  {{ return(replace_relation('table')) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
  {{ return(replace_relation('view')) }}
{% endmaterialization %}

{% macro replace_relation(kind) %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target = this.incorporate(type=kind) -%}
  {%- if existing is not none and existing.type != kind -%}
    {%- do drop_existing(existing) -%}
  {%- endif -%}
  {%- call statement('main', auto_begin=false) -%}
    create or replace {{ kind }} {{ target }} as (
      {{ model['compiled_code'] }}
    );
  {%- endcall -%}
  {%- do adapter.commit() -%}
  {{ return({'relations': [target]}) }}
{% endmacro %}

{# Drop a relation and what reads it. Not by `adapter.drop_relation`, which does just this, but makes all that a macro may name once
   more for it. #}
{% macro drop_existing(relation) %}
  {%- if relation is not none -%}
    {%- do adapter.cache_dropped(relation) -%}
    {%- do drop_relation(relation) -%}
  {%- endif -%}
{% endmacro %}

-- For tests of encrypted columns: a recipient of class phi, and what opens its tokens by pgcrypto and the private half. The halves are
-- a key pair of GnuPG's, made for this and nothing else.
create extension if not exists pgcrypto schema public;

select vestige.add_recipient('phi', 'age1none openpgp:' || replace('
mQENBGsNTvoBCADA5OWYFE4ii7EmQ3RvWtMDDojSGIkmCqbAxE7zfgTL3Bp2SaeCHzE0O2IwU++ULO59wFXth1heAspyIu0OohCZVh7xTxj5YzdGZxv3JODZ
tNjbrWkXut8gRBKxl8BGdYZLbf80a7SczRVeSnHE3sCRvbQK9g10A+B8Gw1xHiO7H64ANRSxiLjPW7bdf0n2jbxYyI8iA/92NCZS/HPKi81Qp/OKKkcymhNI
0BTDHuY/w0ndLxSJixCvaOQcZGwCVzmNAPGRb1ESrd2Xt2O5Funo7EgN3EA0W1Fo5Nc3TPonBEwTnMWE26EVCdLIccBfM9GkikaOuQJm5MD8+Oc6Y6NzABEB
AAG0A3BoaYkBTgQTAQoAOBYhBKFWGNKEV86BTTSh83umfNeNmZ8aBQJrDU76AhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJEHumfNeNmZ8a6g4H/22j
1RkpOjcIKLxjC5iNUWurm7ZVpKq5lNyTqzpWottIXY/+quNl8vwqwqwoWrT7HHApO7w1sfDJgxV3wj6PAqwdhy036snsnBRtuIZSFBg0nqYmX1OIXVO2XK33
dUg4X3vcM2bwb6PIi1z6ubpTW9LGHb2ToiaFnSLSPgSGiH/U3BV/e7sXVxuSzH5Et1owjx8kerpC3MIfbuJzpVuXlXO4VHopexXwx8f7+k1djxLjQsiN1d4h
1kZhHQ+divgvaJ5bdF9lFu0LIRyf2vy16aSBvPL7TMeW9W009J9WShX3Z98YHmWs3KI5nwTdrpY8OsWUi3ZpAwQF42tl0FLhV6W5AQ0Eaw1O+wEIALfhc4lT
DujzRFy0YMq6+9jE1L9efG2MxfZlG4DzfK93KjUkaqaHBESLFwAP2pIjuMdBpkawmBFgIpwYG/CtWHBJhVeszTWbNLE6mPz3N00P7vWSRKPtb2g66AZB1u9D
gpwIiDPtrT9hadGNrIFXGqUDp/yBXfnADGiTbNSMIpTP5sNkFWigjMnRD78I3rWGJpPWbNtZThO8bTwnu16kKxIBTu3TGtVDk6YhAYDZ1IGm7Bliu/U5DdLY
sI47qkezTmY6F2W+Mu8nU11+c/6cX4s6azeWNFIbxmlmIVcp639/05xWB9e5E5aOjkvbSpxn8ouWhoEu3hW3XUH9uHuTXu0AEQEAAYkBNgQYAQoAIBYhBKFW
GNKEV86BTTSh83umfNeNmZ8aBQJrDU77AhsMAAoJEHumfNeNmZ8a1BAH/1bcljLklGU3QId+JgkebHEjku53FAINZaLtUbNpqCd6fWjASiZq+kcfkbx0mztj
hPc99Q5Gf1J4iCV42Mi+wa2V8WgwMkXFsFvKv9jgvCwBG22/J2z7JzdX/trOHqABCSs5xymDf1VR7EEiGiHcXvYJMOb80KKs5iIkT9fogwFYTtpjV0g7Vgbm
HvJIaw4tlTkS2+xI/dtw/pRHio3hDQKH2cSJ324C1Yjz32TvEe7FQ+0L4bWc1YW85+59OBC8dyl9Vqzee4ar2LzNxB+EZKgm3sVATsyj0Nx9kOus9Saf5mT3
qlXxe8tQxwdZad3Sz5kYZm1dlKTmIO4xY/cca5E=', E'\n', '')) as recipient;

-- The text that a field of an encrypted column has; LOST where there is no wrap of its key, FORGED where it does not hold what it says.
create or replace function opened(token text) returns text language plpgsql strict as $$
declare
  b bytea := decode(token, 'base64');
  key bytea;
  plain bytea;
begin
  select public.pgp_pub_decrypt_bytea(wrapped, decode('
lQOYBGsNTvoBCADA5OWYFE4ii7EmQ3RvWtMDDojSGIkmCqbAxE7zfgTL3Bp2SaeCHzE0O2IwU++ULO59wFXth1heAspyIu0OohCZVh7xTxj5YzdGZxv3JODZ
tNjbrWkXut8gRBKxl8BGdYZLbf80a7SczRVeSnHE3sCRvbQK9g10A+B8Gw1xHiO7H64ANRSxiLjPW7bdf0n2jbxYyI8iA/92NCZS/HPKi81Qp/OKKkcymhNI
0BTDHuY/w0ndLxSJixCvaOQcZGwCVzmNAPGRb1ESrd2Xt2O5Funo7EgN3EA0W1Fo5Nc3TPonBEwTnMWE26EVCdLIccBfM9GkikaOuQJm5MD8+Oc6Y6NzABEB
AAEAB/0bjFUx5qx7XeHwlK+l+52pO8PUkDEoyq/4AHvvZcRU7QamdWxui/qLUB58x8VZLyA8Zgyfk2B5GgLu/AfzureOKUYwBluLD7K5jkjof07Rfh9+eCyg
eU1xHpJg5KBO2m1R4SVnx34QQBsuJTRMU9fCuLS5irHEgOKS4YuGPTIIgNqZmWcnYFvZQjGSum4AYzhI8a+FdTX5ZFLsc5msItlzUoNXt5wxEltccLmY87ba
7o+ONRtWKqvSzC0+s8vZZ5CInQIqWw1HivXRI4HJbVGMr4ncNEBrU2PQnU8OYKcHrgsB697PJeTHgwRQcoxMLZw0gXBpCbgKHcM3yIgRfF65BADbpOBDaqKe
9JQeVvq+AYrZJQBme6MOyg5YDFD5Dobc/IWo30dwQeWVVEGKhLzRItC2sqj6LloJ3spvINjN2GbMv57XLXzfgagWHguLjcvT3vVACNDBaHk+eZMUwCn3aPwP
aZjASi89tC4JrmWOGeDAVYkADvy712wd3rAjZ47FFwQA4NKHVUo7FbLTxZNKcQVcgj8GK3/pZMDoigNaUw4F00kvbfQianbUlzlz3xG4CPONst0VQSIN4V39
PyPejOihhJWB+TiwfbsQcg3chdfcCkAXSoJGWPsiIImYm9g7q6fNd6TSgOcReyBjQwWHW4rdBtbHJ+zfhTVx6KFw6WdmxgUD/14vKEcXwzpgiLdXkiKG8Qk/
50MDNGa7Gx0dtZ3ESnUqH1RHgz4CBuxidNccvR+p1/VY+ne/TBk81PAFQdnICYCeD5/j+txv5RUtnkg0H+7oS0bNLfQmc17gWjvpkWkl0X+1cpAhcw7xaBb6
SJe9TtBEMMCnioMp4IMRGr16uumcOE60A3BoaYkBTgQTAQoAOBYhBKFWGNKEV86BTTSh83umfNeNmZ8aBQJrDU76AhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4B
AheAAAoJEHumfNeNmZ8a6g4H/22j1RkpOjcIKLxjC5iNUWurm7ZVpKq5lNyTqzpWottIXY/+quNl8vwqwqwoWrT7HHApO7w1sfDJgxV3wj6PAqwdhy036sns
nBRtuIZSFBg0nqYmX1OIXVO2XK33dUg4X3vcM2bwb6PIi1z6ubpTW9LGHb2ToiaFnSLSPgSGiH/U3BV/e7sXVxuSzH5Et1owjx8kerpC3MIfbuJzpVuXlXO4
VHopexXwx8f7+k1djxLjQsiN1d4h1kZhHQ+divgvaJ5bdF9lFu0LIRyf2vy16aSBvPL7TMeW9W009J9WShX3Z98YHmWs3KI5nwTdrpY8OsWUi3ZpAwQF42tl
0FLhV6WdA5gEaw1O+wEIALfhc4lTDujzRFy0YMq6+9jE1L9efG2MxfZlG4DzfK93KjUkaqaHBESLFwAP2pIjuMdBpkawmBFgIpwYG/CtWHBJhVeszTWbNLE6
mPz3N00P7vWSRKPtb2g66AZB1u9DgpwIiDPtrT9hadGNrIFXGqUDp/yBXfnADGiTbNSMIpTP5sNkFWigjMnRD78I3rWGJpPWbNtZThO8bTwnu16kKxIBTu3T
GtVDk6YhAYDZ1IGm7Bliu/U5DdLYsI47qkezTmY6F2W+Mu8nU11+c/6cX4s6azeWNFIbxmlmIVcp639/05xWB9e5E5aOjkvbSpxn8ouWhoEu3hW3XUH9uHuT
Xu0AEQEAAQAH/RqqdzbS9LaTkLZg8ih0NVGaOcAG08SPRaYVw4dPyCUqAtTyEwVTTyshgJRhuDC5PXKn8pUNxv++EUbRuDuO5+RgxRWR2bCMcXfCJ62HrF1g
kibKr2mWZTGYWU2O/rxz7dzy382oChfG6LGa+glHuHV1skbL+/TcBPClcILiT6GExeIvaJ14aBy/4NUV9gG3HVlk/2RwGJ5RdQXqNQwHsi4UYucNhqBplJT4
ihxreVP6UWD78FyOQNxZ5J4yJ/s247ObKHYvZOFIn1bH8d9faj5tP8TcZjI+qqCozyPXOVoFAdkXkvr+WYs1d34phAVmNm12hdCW9cqTPlv+F4DDb4EEANUl
rAemfOZoO2OYlBpKbMGp1tPBUxVC2QfoUhQdfJoKlN9KYHTeGEMnZOaZNjjcJovcoP7YNq94my1xEzErni50Rh4wyLrQl/Ob8P0hS0JrqoeWQHhbVeh/cL46
qG7lg3S8jTSv/RbniispvCnpxSxf62W+OCbeTI6rqyMGbK6jBADc2XttFpVG/xtXHTj+ZLZLeQT2zOSvYJAgmokTQvdYal8MowFdL58c0SD6crGs5nsPVx5c
xtntJqoXlTfSZIRYjSKf9WTLR5HxcTHdPWPRVF7OdJ3XJulKicIbOoCzTVD0Cw8uBaa/Oj/KCfWx91EAQN5TbNr2GQFod2NMOPNlLwP/b4h9MIYoaHNUq36z
uOCAwklnLsj1+7yw3awiKyb8weOxhOP/cneYmgrcb7iQqMyBnOjVNC+soSlMfFw6Tmy9uqQQjl3cNnIuCto8XOxe+7ICOkWUR9m6LN4OT12ZOYem+yUjT01A
z5k5wdy5vlVyByxOvCVMZwO4WmLDL0qR08RAXYkBNgQYAQoAIBYhBKFWGNKEV86BTTSh83umfNeNmZ8aBQJrDU77AhsMAAoJEHumfNeNmZ8a1BAH/1bcljLk
lGU3QId+JgkebHEjku53FAINZaLtUbNpqCd6fWjASiZq+kcfkbx0mztjhPc99Q5Gf1J4iCV42Mi+wa2V8WgwMkXFsFvKv9jgvCwBG22/J2z7JzdX/trOHqAB
CSs5xymDf1VR7EEiGiHcXvYJMOb80KKs5iIkT9fogwFYTtpjV0g7VgbmHvJIaw4tlTkS2+xI/dtw/pRHio3hDQKH2cSJ324C1Yjz32TvEe7FQ+0L4bWc1YW8
5+59OBC8dyl9Vqzee4ar2LzNxB+EZKgm3sVATsyj0Nx9kOus9Saf5mT3qlXxe8tQxwdZad3Sz5kYZm1dlKTmIO4xY/cca5E=', 'base64')) into key
  from vestige.encrypted_key where id = substr(b, 3, 16) and recipient = (select min(r.id) from vestige.recipient r where r.public like 'age1none %');
  if key is null then
    return 'LOST';
  end if;
  plain := public.decrypt_iv(substr(b, 35, length(b) - 66), key, substr(b, 19, 16), 'aes-cbc/pad:pkcs');
  return case when substr(b, 1, 2) = '\x0102' and substr(sha256('vestige-data-key'::bytea || key), 1, 16) = substr(b, 3, 16)
                and sha256(plain) = substr(b, length(b) - 31) then convert_from(substr(plain, 17), 'UTF8') else 'FORGED' end;
end
$$;

-- The changes as they were, the encrypted columns opened, a single - for what could not be encrypted.
create or replace view opened_changes as
select c.id, t.table_name, c.op, c.key, r.old_row, r.new_row
from vestige.change c join vestige.shape s on s.id = c.shape join vestige.tracked t on t.id = c.tracked and t.schema_name <> 'vestige',
  lateral (select (select array_agg(case when i.item ? 'encrypted' then case when f like '-%' then '-' else opened(f) end else f end order by n)
                   from unnest(vestige.fields(c.old_row)) with ordinality u(f, n) join jsonb_array_elements(s.columns) with ordinality i(item, n) using (n)) as old_row,
                  (select array_agg(case when i.item ? 'encrypted' then case when f like '-%' then '-' else opened(f) end else f end order by n)
                   from unnest(vestige.fields(c.new_row)) with ordinality u(f, n) join jsonb_array_elements(s.columns) with ordinality i(item, n) using (n)) as new_row) r;
